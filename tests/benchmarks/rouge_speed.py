"""ROUGE of 10,000 summary pairs beside a plain loop over rouge_score, on one core and on two.

    python tests/benchmarks/rouge_speed.py [--data summaries.jsonl --lang de] [--pairs 10000] [--rounds 3]

The texts are English prose that comes with Python, or the columns ``document`` and ``summary`` of a file. A
prediction is a document's first sentences. The rounds are interleaved; their medians are printed. The loop
stems as in English whatever the language, and takes the characters of one that is written without spaces.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from pydoc_data.topics import topics

import click
from rouge_score.rouge_scorer import RougeScorer

import nlptasks
from nlptasks.text import is_unspaced, sentences

Pairs = list[tuple[str, str]]
PARTS = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
SENTENCES = 3


def prose() -> Pairs:
    """Return neighbouring sentences: three as they stand, and three that begin one later."""
    found = [" ".join(one.split()) for text in topics.values() for one in sentences(text, "en")]
    cuts = range(len(found) - SENTENCES)
    return [("\n".join(found[at : at + SENTENCES]), "\n".join(found[at + 1 : at + 1 + SENTENCES])) for at in cuts]


def summaries(path: Path, lang: str) -> Pairs:
    """Return the first sentences of each document beside its summary."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    texts = [(row["document"], row.get("summary") or row["references"][0]) for row in rows]
    return [("\n".join(sentences(text[:4000], lang)[:SENTENCES]), summary) for text, summary in texts]


class Characters:
    """A tokenizer as rouge_score takes it."""

    def tokenize(self, text: str) -> list[str]:
        """Return the characters of ``text`` that are no space."""
        return [letter for letter in text.lower() if not letter.isspace()]


def loop(pairs: Pairs, lang: str) -> None:
    """Score as most scripts do."""
    scorer = RougeScorer(PARTS, use_stemmer=True, tokenizer=Characters() if is_unspaced(lang) else None)
    scores = [scorer.score(reference, prediction) for prediction, reference in pairs]
    for part in PARTS:
        statistics.fmean(score[part].fmeasure for score in scores)


def ours(pairs: Pairs, lang: str) -> None:
    """Score with the interval of each figure."""
    predictions, references = map(list, zip(*pairs, strict=True))
    nlptasks.score("summarization", predictions, references, metrics="rouge", lang=lang)


def timed(run: Callable[[], None], cores: int) -> tuple[float, float]:
    """Return wall and CPU seconds, child processes included, on so many cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:cores])
    try:
        start, used = time.perf_counter(), sum(os.times()[:4])
        run()
        return time.perf_counter() - start, sum(os.times()[:4]) - used
    finally:
        os.sched_setaffinity(0, before)


def main() -> None:
    """Print a table of seconds, and of how they compare with the loop's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--lang", default="en")
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    known = summaries(given.data, given.lang) if given.data else prose()
    pairs = random.Random(0).choices(known, k=given.pairs)
    runs: dict[str, tuple[Callable[[], None], int]] = {
        "rouge_score loop, 1 core": (lambda: loop(pairs, given.lang), 1),
        "nlptasks, 1 core": (lambda: ours(pairs, given.lang), 1),
        "nlptasks, 2 cores": (lambda: ours(pairs, given.lang), 2),
    }
    ours(pairs[:10], given.lang)  # imports
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(given.rounds):
        for name, (run, cores) in runs.items():
            taken[name].append(timed(run, cores))
    base, _ = (statistics.median(each) for each in zip(*taken["rouge_score loop, 1 core"], strict=True))
    click.echo(f"{len(pairs)} pairs, {given.lang}; median of {given.rounds}")
    for name, times in taken.items():
        wall, cpu = (statistics.median(each) for each in zip(*times, strict=True))
        click.echo(f"{name:26} {wall:7.2f} s wall  {cpu:7.2f} s CPU  {wall / base:5.2f} x")


if __name__ == "__main__":
    main()
