"""The command line: one file per verb behind a lazy group."""

from __future__ import annotations

from nlptasks.cli.main import main
from nlptasks.cli.task_command import TaskCommand

__all__ = ["TaskCommand", "main"]
