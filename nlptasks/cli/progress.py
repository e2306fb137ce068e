"""A bar on a terminal: rows/s, tokens/s, time left, failures. Nothing elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from typing_extensions import Self

from nlptasks.data import count_lines
from nlptasks.runs import Run


class Progress:
    """The bar of a run over at most ``limit`` rows of ``source``, as a context manager."""

    def __init__(self, run: Run, source: Path | None, limit: int | None) -> None:
        self._run, self._source, self._limit = run, source, limit
        self._before: tuple[int, int] | None = None
        self._bar: Any = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            facts = TextColumn("{task.fields[facts]}")
            columns = (BarColumn(), MofNCompleteColumn(), facts, TimeElapsedColumn(), TimeRemainingColumn())
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            lines = count_lines(self._source) if self._source else None
            total = min((size for size in (self._limit, lines) if size), default=None)
            self._bar.add_task("", total=total, completed=self._run.counts.total, facts="")
            self._bar.start()
        return self

    def advance(self) -> None:
        """Show one more row."""
        if self._bar is None:
            return
        task, run = self._bar.tasks[0], self._run
        self._before = self._before or (run.counts.total - 1, run.completion_tokens)
        seconds = task.elapsed or 1e-9
        rows, tokens = run.counts.total - self._before[0], run.completion_tokens - self._before[1]
        failures = f", {run.counts.failed} failed" if run.counts.failed else ""
        facts = f"{rows / seconds:.1f} rows/s, {tokens / seconds:.0f} tokens/s{failures}"
        self._bar.update(task.id, completed=run.counts.total, facts=facts)

    def __exit__(self, *exception: Any) -> None:
        if self._bar is not None:
            self._bar.stop()
