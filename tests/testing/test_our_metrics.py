"""The metrics that come with nlptasks pass the contract that a stranger's must."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from nlptasks import Backend, Metric, Request
from nlptasks.plugin import registry
from nlptasks.testing import MetricContract

Build = Callable[[str | None], Metric]


class TestBleu(MetricContract):
    name = "bleu"


class TestChrf(MetricContract):
    name = "chrf"


class TestChrfWithWords(MetricContract):
    name = "chrf"
    options = {"word_order": 2}


class TestTer(MetricContract):
    name = "ter"


class TestRouge(MetricContract):
    name = "rouge"


class TestExactMatch(MetricContract):
    name = "exact_match"


class TestSquad(MetricContract):
    name = "squad"


class TestSquadV2(MetricContract):
    name = "squad_v2"


class TestSquadV2WithDoubts(MetricContract):
    name = "squad_v2"
    columns = {"no_answer_score": 0.25}
    best = {"exact_match": 100.0, "f1": 100.0, "best_exact": 100.0, "best_f1": 100.0}


class TestLength(MetricContract):
    name = "length"
    columns = {"document": "The ferry was late. 渡轮晚点了。", "truncated": False}


class TestDistinctN(MetricContract):
    name = "distinct_n"


class TestPerplexity(MetricContract):
    name = "perplexity"
    columns = {"loglikelihood": -12.5, "tokens": 10, "words": 8, "bytes": 40}


class TestEmbeddingSimilarity(MetricContract):
    name = "embedding_similarity"

    @pytest.fixture
    def build(self, tiny_model: Callable[[str], Path]) -> Build:
        kind, encoder = self.target, str(tiny_model("bert-qa"))
        return lambda lang: kind(lang=lang, encoder=encoder, device="cpu")


def strict(request: Request) -> str:
    """A judge for whom only the reference is right."""
    text = request.messages[-1].content
    tagged = {tag: re.findall(rf"<{tag}>\s*(.*?)\s*</{tag}>", text, re.DOTALL) for tag in ("answer", "reference")}
    [answer] = tagged["answer"]
    return "[[10]]" if answer in tagged["reference"] else "[[2]]"


class TestLlmJudge(MetricContract):
    name = "llm_judge"
    best = {"llm_judge": 100.0}

    @pytest.fixture
    def build(self, scripted_backend: Callable[..., Backend]) -> Build:
        kind = self.target
        return lambda lang: kind(lang=lang, judge=scripted_backend(strict))


def test_each_metric_has_its_contract_here() -> None:
    tested = {kind.name for kind in globals().values() if isinstance(kind, type) and issubclass(kind, MetricContract)}
    assert tested - {""} == {entry.spec.name for entry in registry().entries("metric")}
