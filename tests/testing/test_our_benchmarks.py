"""The benchmarks that come with nlptasks pass the contract that a stranger's must: one of each published form."""

from __future__ import annotations

from nlptasks.testing import BenchmarkContract
from tests.plugins.test_benchmarks import PUBLISHED

for _name, _row, _ in PUBLISHED:
    globals()[f"Test_{_name}"] = type(f"Test_{_name}", (BenchmarkContract,), {"name": _name, "published": [_row]})


class TestWithTurns(BenchmarkContract):
    name = "mt_bench"
    published = [{"question_id": 81, "category": "writing", "turns": ["Write a poem.", "Shorten it."]}]


class TestOfPlainText(BenchmarkContract):
    name = "wikitext2"
    published = [{"text": ""}, {"text": " = Port = "}]


class TestOfTwoFiles(BenchmarkContract):
    name = "flores_plus.en-de"
    published = [{"source": {"id": 1, "domain": "news", "text": "Hi."}, "target": {"id": 1, "text": "Hallo."}}]
