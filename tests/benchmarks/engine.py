"""What a row costs beside the model: ``nlptasks run`` on ``echo``, JSON Lines in and out, the run's log kept.

Every run is on one core. CPU seconds are those beyond the same command on one row, so that start-up is left out. The
bare loop reads the same rows and writes lines of the same size, two a row. A million rows run beside a tenth of them:
the most memory that each held.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.benchmarks.measuring import interleaved, launch, middle, table
from tests.benchmarks.workshop import Workshop

ROWS, MANY = 20_000, 1_000_000
TASKS = ("chat", "translation", "question-answering", "summarization")
LOOP = """
import json, os, sys
rows, size = sys.argv[1], int(sys.argv[2])
outs = [os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) for path in ("out", "log")]
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


def run_of(task: str, rows: str) -> list[str]:
    """Return the command that runs a task on ``echo``."""
    flags = ["-m", "echo", "--input", rows, "--output", "out.jsonl", "--overwrite"]
    return [sys.executable, "-m", "nlptasks", "run", task, *flags]


def speed(command: Callable[[str], list[str]], folder: Path) -> float:
    """Return how many rows one core gets done in a second."""
    spent, start = (launch(command(rows), folder, one_core=True).cpu for rows in ("rows.jsonl", "one.jsonl"))
    return ROWS / (spent - start)


def measure(shop: Workshop) -> str:
    """Return the tables of rows a second, and of memory."""
    folder = shop.folder / "engine"
    folder.mkdir(exist_ok=True)
    write_rows(folder / "one.jsonl", 1)
    write_rows(folder / "rows.jsonl", ROWS)
    return f"### Engine and log\n\n{speeds(folder, shop.rounds)}\n{memory(folder)}"


def speeds(folder: Path, rounds: int) -> str:
    """Return how many rows of each task one core gets done in a second."""
    launch(run_of("chat", "rows.jsonl"), folder)
    size = str((folder / "out.jsonl.run" / "samples.jsonl").stat().st_size // ROWS)
    runs: dict[str, Callable[[str], list[str]]] = {"bare loop": lambda rows: [sys.executable, "-c", LOOP, rows, size]}
    runs |= {f"`nlptasks run {task}`": partial(run_of, task) for task in TASKS}
    found = interleaved({name: partial(speed, command, folder) for name, command in runs.items()}, rounds)
    return table(["", "rows/s of CPU"], ([name, middle(each, 0)] for name, each in found.items()))


def memory(folder: Path) -> str:
    """Return the most memory held for many rows and for a tenth of them."""
    rows = []
    for count in (MANY // 10, MANY):
        write_rows(folder / "many.jsonl", count)
        outcome = launch(run_of("chat", "many.jsonl"), folder, one_core=True)
        rows.append([f"{count:,} rows of chat", f"{outcome.memory:.1f}", f"{count / outcome.cpu:,.0f}"])
    return table(["", "MB at most", "rows/s of CPU"], rows)
