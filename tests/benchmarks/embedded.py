"""What ``nlptasks eval`` does not show of the embedded backend: pages found, sentences shown, silence kept, seconds.

    python -m tests.benchmarks.embedded --bench FOLDER [--model embedded] [--limit 200]

Pages: of ten pages of three passages each, from ten others' questions, the answer names the right one. Sentences: the
text shown holds a reference. Silence: F1 where no answer is allowed, less F1 where one must be given. Intervals are
the 95 % of a bootstrap over questions.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

import nlptasks
from tests.benchmarks.machine import machine

ROUNDS = 1000
PAGES, PASSAGES = 10, 3
FORCED: dict[str, Any] = {"extra": {"handle_impossible_answer": False}}


def rows(bench: Path, name: str, limit: int | None) -> list[dict[str, Any]]:
    """Return the rows of a benchmark."""
    [path] = (bench / name).glob("*.jsonl")
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()][:limit]


def share(hits: Sequence[float]) -> str:
    """Return a mean in percent with its interval."""
    chance = random.Random(0)
    means = sorted(statistics.fmean(chance.choices(hits, k=len(hits))) for _ in range(ROUNDS))
    low, high = means[int(0.025 * ROUNDS)], means[int(0.975 * ROUNDS)]
    return f"{100 * statistics.fmean(hits):.1f} % ({100 * low:.1f}-{100 * high:.1f}) of {len(hits)}"


def pages(bench: Path, limit: int | None, model: str, **options: Any) -> str:
    """Return how often the right page of ten is named; ``options`` are those of the task."""
    found = rows(bench, "squad1_en", limit)
    passages = list(dict.fromkeys(row["context"] for row in rows(bench, "squad1_en", None)))
    answer = nlptasks.task("question-answering", model=model, **options)
    chance = random.Random(0)
    hits = []
    for row in found:
        others = [text for text in passages if text != row["context"]]
        drawn = chance.sample(others, PAGES * PASSAGES - 1)
        right, place = chance.randrange(PAGES), chance.randrange(PASSAGES)
        drawn.insert(right * PASSAGES + place, row["context"])
        names = {f"page {n}": "\n\n".join(drawn[n * PASSAGES : (n + 1) * PASSAGES]) for n in range(PAGES)}
        context = [{"name": name, "text": text} for name, text in names.items()]
        hits.append(answer(question=row["question"], context=context).document == f"page {right}")
    return share(hits)


def sentences(bench: Path, name: str, limit: int | None, model: str) -> str:
    """Return how often the text that is shown as support holds a reference, where one must be shown."""
    found = rows(bench, name, limit)
    answer = nlptasks.task("question-answering", model=model)
    given = answer.map({"question": row["question"], "context": row["context"]} for row in found)
    return share(
        [any(one in (out.support or "") for one in row["answers"]) for row, out in zip(found, given, strict=True)]
    )


def silence(bench: Path, limit: int | None, model: str) -> str:
    """Return F1 on questions of which some have no answer, and how much less it is where all get one."""
    [path] = (bench / "squad2_en").glob("*.jsonl")
    kinds: tuple[dict[str, Any], ...] = ({}, FORCED)
    with tempfile.TemporaryDirectory() as folder:
        allowed, forced = (
            nlptasks.evaluate(
                "question-answering", path, model=model, limit=limit, output=Path(folder, str(number)), **more
            ).results["f1"]
            for number, more in enumerate(kinds)
        )
    low, high = allowed.ci95
    return f"{allowed.value:.1f} ({low:.1f}-{high:.1f}), {allowed.value - forced.value:+.1f} to always answering"


def seconds(model: str, bench: Path) -> str:
    """Return how long loading and a first answer take, and an answer over one page then."""
    texts = list(dict.fromkeys(row["context"] for row in rows(bench, "squad1_en", None)))
    page = "\n\n".join(texts[:4])[:3000]
    started = time.perf_counter()
    answer = nlptasks.task("question-answering", model=model)
    answer(question="Who won?", context=page)
    loaded = time.perf_counter()
    times = []
    for _ in range(5):
        before = time.perf_counter()
        answer(question="Who won?", context=page)
        times.append(time.perf_counter() - before)
    return f"{loaded - started:.2f} s to load and answer, {statistics.median(times):.2f} s a page of 3,000 characters"


def main() -> None:
    """Print the figures, a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=Path, required=True)
    parser.add_argument("--model", default="embedded")
    parser.add_argument("--limit", type=int)
    given = parser.parse_args()
    click.echo(machine(("nlptasks", "transformers", "torch")))
    click.echo(f"{'seconds':20}{seconds(given.model, given.bench)}")
    click.echo(f"{'right page of ten':20}{pages(given.bench, given.limit, given.model)}")
    click.echo(f"{'.. one must be named':20}{pages(given.bench, given.limit, given.model, **FORCED)}")
    for name in ("xquad_de", "xquad_zh"):
        click.echo(f"{'sentence, ' + name:20}{sentences(given.bench, name, given.limit, given.model)}")
    click.echo(f"{'squad2_en, F1':20}{silence(given.bench, given.limit, given.model)}")


if __name__ == "__main__":
    main()
