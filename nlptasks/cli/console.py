"""What people see: answers on stdout, everything else on stderr; colour on a terminal only."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click


def colour() -> bool | None:
    """Return False where colour is unwanted (NO_COLOR), None to let click look at the terminal."""
    return False if os.environ.get("NO_COLOR") else None


def say(text: str = "") -> None:
    """Print a line of the answer."""
    click.echo(text, nl=not text.endswith("\n"), color=colour())


def say_json(value: Any) -> None:
    """Print a value as JSON: indented for a person, on one line for a program."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None, default=str))


def note(text: str) -> None:
    """Print a line that is not the answer."""
    click.echo(text, err=True, color=colour())


def fail(text: str) -> None:
    """Print an error."""
    note(click.style("error: ", fg="red") + text)


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns on a terminal, separated by tabs elsewhere."""
    if not sys.stdout.isatty():
        for row in rows:
            say("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(*headers, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        grid.add_row(*map(Text.from_ansi, row))  # brackets are no markup, and colours are click's
    Console().print(grid)


def facts(values: Mapping[str, Any]) -> None:
    """Print names and values, one a line."""
    width = max(map(len, values), default=0)
    for name, value in values.items():
        say(f"{name.ljust(width)}  {value}")


@contextmanager
def waiting(text: str) -> Iterator[Callable[[], None]]:
    """Show on a terminal that work is going on; what is yielded ends that when the first of the answer is there."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console

    with Console(stderr=True).status(text) as status:
        yield status.stop


class Handler(logging.Handler):
    """Shows what nlptasks logs, a line each."""

    def emit(self, record: logging.LogRecord) -> None:
        kind = click.style(f"{record.levelname.lower()}: ", fg="yellow")
        note(kind + " ".join(record.getMessage().split()))


def start_logging() -> None:
    """Send the log of nlptasks to stderr."""
    log = logging.getLogger("nlptasks")
    log.handlers[:] = [Handler()]
    log.setLevel(logging.INFO if sys.stderr.isatty() else logging.WARNING)  # who waits wants to know what for
    log.propagate = False
