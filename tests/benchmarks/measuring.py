"""What every part of the benchmarks does: run processes round by round, and write tables of what they took."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """What a process took, in seconds, the most memory it held, in MB, and what it printed."""

    seconds: float
    cpu: float
    memory: float
    said: str


def launch(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None, one_core: bool = False
) -> Outcome:
    """Run a command to its end. Raises ``click.ClickException`` with what it complained of if it failed."""
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as complained:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **(environment or {})}, stdout=said, stderr=complained
        )
        if one_core:
            os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        complained.seek(0)
        if process.returncode:
            raise click.ClickException(f"{' '.join(map(str, command))}: {complained.read()[-3000:]}")
        return Outcome(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, said.read())


def interleaved(ways: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Go every way once, then again: what disturbs one disturbs its neighbours. Return the outcomes of each."""
    outcomes: dict[str, list[T]] = {name: [] for name in ways}
    for number in range(1, rounds + 1):
        for name, way in ways.items():
            outcomes[name].append(way())
            click.echo(f"  round {number} of {rounds}: {name}", err=True)
    return outcomes


def middle(values: Iterable[float], digits: int = 1) -> str:
    """Return the median, with the least and the greatest in brackets."""
    found = sorted(values)
    low, high = (f"{one:,.{digits}f}" for one in (found[0], found[-1]))
    return f"{statistics.median(found):,.{digits}f}" + (f" ({low} to {high})" if low != high else "")


def ratios(values: Sequence[float], base: Sequence[float], digits: int = 2) -> str:
    """Return how ``values`` compare with ``base``, round by round."""
    return middle((one / other for one, other in zip(values, base, strict=True)), digits)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as Markdown; numbers stand to the right of their names."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
