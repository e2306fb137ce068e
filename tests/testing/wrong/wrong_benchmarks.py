"""A right benchmark, and what an author may get wrong about one: each in one way."""
# mypy: ignore-errors

from __future__ import annotations

import itertools
from dataclasses import replace

from nlptasks.benchmarks import Benchmark

RightBenchmark = Benchmark(
    name="right-benchmark",
    task="summarization",
    columns={"document": "article", "summary": "highlights"},
    lang="en",
    licence="CC0",
    citation="our own",
    url="https://example.org",
)
RenamedBenchmark = replace(RightBenchmark, name="another")


def _named(name, **changes):
    return replace(RightBenchmark, name=name, **changes)


def _mutating(row):
    row["article"] += "!"
    return [row]


_numbers = itertools.count()
Unlicensed = _named("unlicensed", licence="")
Unmapped = _named("unmapped", columns={"article": "article"})
WrongLanguage = _named("wrong-language", lang="english")
NoMetric = _named("no-metric", task="text-generation", columns={"prompt": "article", "reference": "highlights"})
UnknownBenchmarkMetric = _named("unknown-benchmark-metric", metrics=("rogue",))
TextMetric = _named("text-metric", metrics="rouge")
NoTask = _named("no-task", task="summarisation")
WrongColumn = _named("wrong-column", columns={"document": "body"})
NoReference = _named("no-reference", columns={"document": "article"})
NoRow = _named("no-row", expand=lambda row: [])
Blank = _named("blank", columns={"document": "empty", "summary": "highlights"})
Random = _named("random", expand=lambda row: [{**row, "article": f"{next(_numbers)} {row['article']}"}])
Mutating = _named("mutating", expand=_mutating)
NotABenchmark = {"name": "not-a-benchmark"}
