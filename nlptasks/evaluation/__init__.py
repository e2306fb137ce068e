"""Scores that can be quoted: with their uncertainty, their counts and their signatures."""
