"""Runs the contracts on a plugin whose author wrote no tests, in a process of its own: ``nlptasks plugins check``."""
