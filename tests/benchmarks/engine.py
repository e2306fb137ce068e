"""What a row costs beside the model: ``nlptasks run`` on ``echo``, JSON Lines in and out, the run's log kept.

    python -m tests.benchmarks.engine [--rows 20000] [--rounds 5] [--many 1000000]

Every run is a process of its own on one core, the rounds are interleaved; medians are printed. CPU seconds are those
beyond the same command on one row, so that start-up is left out. The bare loop reads the same rows and writes lines
of the same size, two a row. The last part runs ``--many`` rows (0 leaves it out) beside a tenth of them: the most
memory that each held.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from tests.benchmarks.machine import machine

TASKS = ("chat", "translation", "question-answering", "summarization")
LOOP = """
import json, os, sys
rows, out, log = sys.argv[1:]
outs = [os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) for path in (out, log)]
size = int(sys.stdin.read())
for line in open(rows, "rb"):
    row = json.loads(line)
    os.write(outs[0], json.dumps({**row, "prediction": row["message"]}).encode() + b"\\n")
    os.write(outs[1], json.dumps({"messages": [row["message"]], "answer": "x" * size}).encode() + b"\\n")
"""


def write_rows(path: Path, count: int) -> None:
    """Write rows that every task finds its columns in."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            text = f"Row {number}: the council met on Tuesday to discuss the budget."
            row = {"id": f"r{number}", "message": text, "document": text, "source": text, "context": text}
            languages = {"source_lang": "en", "target_lang": "de"}
            file.write(json.dumps({**row, "question": f"Who met in row {number}?", **languages}) + "\n")


def cost(command: list[str], folder: Path, stdin: str = "") -> tuple[float, float]:
    """Return the CPU seconds and the most memory in MB that a command took on one core."""
    with subprocess.Popen(
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stderr
        os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
        process.stdin.write(stdin)
        process.stdin.close()
        said = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise click.ClickException(said[-2000:])
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def run_of(task: str, rows: str) -> list[str]:
    """Return the command that runs a task on ``echo``."""
    flags = ["-m", "echo", "--input", rows, "--output", "out.jsonl", "--overwrite"]
    return [sys.executable, "-m", "nlptasks", "run", task, *flags]


def main() -> None:
    """Print a table of rows a second, and of memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--many", type=int, default=1_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_rows(folder / "one.jsonl", 1)
        write_rows(folder / "rows.jsonl", given.rows)
        speed(folder, given.rows, given.rounds)
        if given.many:
            memory(folder, given.many)


def speed(folder: Path, rows: int, rounds: int) -> None:
    """Print how many rows of each task one core gets done in a second."""
    cost(run_of("chat", "rows.jsonl"), folder)
    size = str((folder / "out.jsonl.run" / "samples.jsonl").stat().st_size // rows)
    loop = [sys.executable, "-c", LOOP]
    runs: dict[str, Callable[[str], list[str]]] = {"bare loop": lambda source: [*loop, source, "out", "log"]}
    runs |= {f"nlptasks run {task}": partial(run_of, task) for task in TASKS}
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, command in runs.items():
            spent, start = (cost(command(source), folder, size)[0] for source in ("rows.jsonl", "one.jsonl"))
            taken[name].append(rows / (spent - start))
    click.echo(machine(("nlptasks", "pydantic", "jinja2")))
    click.echo(f"{rows} rows on one core, start-up left out; medians of {rounds}")
    for name, speeds in taken.items():
        click.echo(f"{name:34}{statistics.median(speeds):10,.0f} rows/s CPU  (best {max(speeds):,.0f})")


def memory(folder: Path, many: int) -> None:
    """Print the most memory held for many rows and for a tenth of them."""
    for count in (many // 10, many):
        write_rows(folder / "many.jsonl", count)
        seconds, held = cost(run_of("chat", "many.jsonl"), folder)
        click.echo(f"{count:>9,} rows of chat: {held:.1f} MB at most, {count / seconds:,.0f} rows/s CPU")


if __name__ == "__main__":
    main()
