"""What a number format costs in quality: the embedded package's models, as ``nlptasks eval`` scores them in each.

    python -m tests.benchmarks.precision --bench FOLDER [--limit 300]

The weights are stored as integers, so what bfloat16 and int8 add is how numbers are computed with.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import click

import nlptasks
from tests.benchmarks.machine import machine
from tests.benchmarks.measuring import table
from tests.benchmarks.workshop import ROOT

WEIGHTS = ROOT / "plugins" / "nlptasks_embedded" / "weights"
DTYPES = ("float32", "bfloat16", "int8")
SETS = (
    ("question-answering", "squad1_en", "question-answering.en.jsonl", "f1"),
    ("question-answering", "xquad_de", "question-answering.de.jsonl", "f1"),
    ("question-answering", "xquad_zh", "question-answering.zh.jsonl", "f1"),
    ("translation", "tatoeba_en-de", "translation.en-de.jsonl", "chrf"),
    ("summarization", "scitldr_en", "summarization.en.jsonl", "rougeL"),
    ("summarization", "csl_zh", "summarization.zh.jsonl", "rougeL"),
)


def figures(task: str, data: Path, metric: str, limit: int) -> list[str]:
    """Return the metric in every format, with its 95 % interval, and what the last two differ from the first."""
    found = []
    for dtype in DTYPES:
        with tempfile.TemporaryDirectory() as folder:
            scored = nlptasks.evaluate(
                task, data, model=f"hf/{WEIGHTS / task}", dtype=dtype, limit=limit, output=Path(folder, "run")
            )
        found.append(scored.results[metric])
    first, *others = found
    low, high = first.ci95
    return [f"{first.value:.2f} ({low:.1f} to {high:.1f})", *(f"{one.value - first.value:+.2f}" for one in others)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=300)
    given = parser.parse_args()
    rows = [
        [f"{name}, {metric}", *figures(task, given.bench / name / file, metric, given.limit)]
        for task, name, file, metric in SETS
    ]
    click.echo(machine(("nlptasks", "torch", "transformers")))
    click.echo(f"first {given.limit} rows of each\n")
    click.echo(table(["", *DTYPES], rows))


if __name__ == "__main__":
    main()
