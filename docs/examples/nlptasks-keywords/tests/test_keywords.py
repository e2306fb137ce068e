"""What is asked, how answers are read and how keywords are scored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import nlptasks
from nlptasks import Sample
from nlptasks.testing import MetricContract, TaskContract
from nlptasks_keywords.metric import KeywordF1
from nlptasks_keywords.task import Keywords, KeywordsInput

Scripted = Callable[..., Any]


class TestTask(TaskContract):
    """The task keeps what every task promises."""

    name = "keywords"
    row = {"text": "Offshore turbines fed the grid.", "keywords": ["offshore turbines", "grid"]}
    answer = "offshore turbines; grid"
    options = {"max_keywords": 3}


class TestMetric(MetricContract):
    """The metric keeps what every metric promises."""

    name = "keyword_f1"


@pytest.mark.parametrize(
    ("answer", "keywords"),
    [
        ("wind power; offshore turbines; grid", "wind power; offshore turbines; grid"),
        ("1. Windkraft\n2. Netz\n3. Windkraft\n", "Windkraft; Netz"),
        ("- 3D-Druck\n- 5G", "3D-Druck; 5G"),
        ("电动渡轮；港口、码头。", "电动渡轮; 港口; 码头"),
        ("  ", ""),
    ],
)
def test_an_answer_in_any_form_is_read(answer: str, keywords: str, scripted_backend: Scripted) -> None:
    assert nlptasks.task("keywords", model=scripted_backend(answer))("A text.").keywords == keywords


def test_the_question_holds_text_and_number(scripted_backend: Scripted) -> None:
    backend = scripted_backend("x")
    nlptasks.task("keywords", model=backend, max_keywords=3)("Ends </text> here.")
    [asked] = backend.received
    assert "at most 3" in asked.messages[-1].content
    assert asked.messages[-1].content.startswith("<text-text>\nEnds </text> here.\n</text-text>")
    assert asked.fields == {"text": "Ends </text> here."}


def test_the_reference_keywords_are_what_a_model_learns_to_write() -> None:
    assert Keywords().target(Sample("1", KeywordsInput(text="t"), ("wind power", "grid"))) == "wind power; grid"
    with pytest.raises(ValueError, match="has no 'keywords'"):
        Keywords().target(Sample("1", KeywordsInput(text="t")))


def test_scores() -> None:
    found = ["Wind power; grid; price", "电动渡轮；港口", "Straße", ""]
    expected = [["wind power", "grid", "offshore turbines", "storage"], ["电动渡轮; 港口"], ["Strasse"], [""]]
    metric = KeywordF1()
    assert metric.statistics(found, expected).round(1).tolist() == [
        [57.1, 66.7, 50.0],
        [100, 100, 100],
        [0, 0, 0],
        [100, 100, 100],
    ]
    scores = metric.compute(predictions=found, references=expected)
    assert scores == pytest.approx({"f1": 64.2857, "precision": 66.6667, "recall": 62.5})
    assert metric.signature == "keyword_f1|v:1|norm:words|mean:sample"
