"""Figures come out as published ones do: from files, through ``score``, equal to what the field computes them with."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nlptasks
from nlptasks.evaluation.results import Scores
from tests.metrics.samples import LANGUAGES, bench, guesses, sentence
from tests.metrics.test_sacre import corpus
from tests.metrics.test_squad import f1, squad_tokens

BEST = {"ter": 0}
REFERENCE_METRICS = "bleu,chrf,ter,rouge,squad,squad_v2,exact_match"
AWKWARD = [
    "",
    "One\u2028line.",
    "Form\x0cfeed and\x85next line",
    "Two\rreturns\r",
    "  spaces \t ",
    "tab\tin it",
    "&amp; <b>",
]


def value(scores: Scores, name: str) -> float:
    return scores.results[name].value


@pytest.mark.parametrize(
    ("path", "lang", "tokenizer"),
    [
        ("tatoeba_en-de/translation.en-de.jsonl", "de", "13a"),
        ("tatoeba_en-de/translation.de-en.jsonl", "en", "13a"),
        ("tatoeba_en-zh/translation.en-zh.jsonl", "zh", "zh"),
        ("tatoeba_en-zh/translation.zh-en.jsonl", "en", "13a"),
    ],
)
def test_text_by_line_scores_as_on_the_command_line_of_sacrebleu(
    tmp_path: Path, path: str, lang: str, tokenizer: str
) -> None:
    predictions, references = corpus(path)
    sides = {
        "hyp.txt": [*predictions, *AWKWARD],
        f"ref.{lang}": [*(texts[0] for texts in references), *reversed(AWKWARD)],
        f"ref2.{lang}": [*(texts[-1] for texts in references), *AWKWARD],
    }
    for name, lines in sides.items():
        (tmp_path / name).write_bytes("".join(f"{line}\n" for line in lines).encode())
    hyp, *refs = (tmp_path / name for name in sides)
    command = [sys.executable, "-m", "sacrebleu", *map(str, refs), "-i", str(hyp), "-tok", tokenizer]
    options = ["-m", "bleu", "chrf", "-w", "12", "-f", "json"]
    done = subprocess.run(
        command + options, env={**os.environ, "PYTHONIOENCODING": "utf-8"}, capture_output=True, check=True, timeout=120
    )
    theirs = json.loads(done.stdout)
    ours = nlptasks.score("translation", hyp, refs, metrics="bleu,chrf", lang=lang)
    assert [round(value(ours, name), 12) for name in ("bleu", "chrf")] == [each["score"] for each in theirs]
    signatures = [ours.results[name].signature.partition("|v:1|")[2] for name in ("bleu", "chrf")]
    assert signatures == [each["signature"] for each in theirs]


@pytest.mark.parametrize("name", ["squad1_en", "squad2_en"])
def test_the_files_of_squad_score_as_by_its_script(tmp_path: Path, name: str) -> None:
    rows = bench(f"{name}/question-answering.en.jsonl")
    said = dict(zip((row["id"] for row in rows), guesses(rows), strict=True))
    questions = [{**row, "answers": [{"text": text} for text in row["answers"]]} for row in rows]
    gold = {"data": [{"title": "x", "paragraphs": [{"context": one["context"], "qas": [one]} for one in questions]}]}
    for file, content in (("gold.json", gold), ("said.json", said)):
        (tmp_path / file).write_text(json.dumps(content), "utf-8")
    found = nlptasks.score("question-answering", tmp_path / "said.json", tmp_path / "gold.json")
    exact, overlap = 0.0, 0.0
    for row in rows:
        tokens = squad_tokens(said[row["id"]])
        right = [squad_tokens(text) for text in row["answers"]] or [[]]
        exact += tokens in right
        overlap += max(f1(tokens, one) if tokens and one else float(tokens == one) for one in right)
    assert value(found, "exact_match") == pytest.approx(100 * exact / len(rows), abs=1e-9)
    assert value(found, "f1") == pytest.approx(100 * overlap / len(rows), abs=1e-9)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("told", [True, False])
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_the_same_sentence_reaches_the_best_value_of_every_metric(lang: str, told: bool, data: st.DataObject) -> None:
    texts = data.draw(st.lists(sentence(lang), min_size=1, max_size=3))
    found = nlptasks.score("translation", texts, texts, metrics=REFERENCE_METRICS, lang=lang if told else None)
    parts = set(found.results)
    assert {"bleu", "chrf", "ter", "rouge1", "rouge2", "rougeL", "rougeLsum"} < parts
    for name in parts:
        assert value(found, name) == pytest.approx(BEST.get(name, 100), abs=1e-9), name


TEXTS = st.one_of(
    st.text(max_size=12),
    st.text(st.characters(categories=["Cs", "Cc", "Cf", "Co", "Mn", "Zs", "So", "Po"]), max_size=8),
    st.sampled_from(["", " \u3000", "?!。", "🚢👨‍👩‍👧", "\ud800", "a\n\n\nb\r\n", "Hello 世界 مرحبا สวัสดี", "\x00"]),
)
VALUES = st.one_of(TEXTS, st.none(), st.integers(), st.floats(), st.booleans(), st.lists(TEXTS, max_size=2))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=3),
    lang=st.sampled_from([*LANGUAGES, "und", None]),
    task=st.sampled_from(["translation", "summarization", "question-answering", "chat"]),
)
def test_any_value_is_scored_or_refused_in_one_line(rows: list[tuple[Any, Any]], lang: str | None, task: str) -> None:
    predictions = [{"id": number, "prediction": said} for number, (said, _) in enumerate(rows)]
    references = [{"id": number, "references": right} for number, (_, right) in enumerate(rows)]
    figures, problem = [], ""
    try:
        found = nlptasks.score(task, predictions, references, metrics="bleu,chrf,rouge,squad_v2,length", lang=lang)
        figures = [number for one in found.results.values() for number in (one.value, one.stderr, *one.ci95)]
    except nlptasks.UsageError as error:
        problem = str(error)
    assert bool(figures) != bool(problem)
    assert all(map(math.isfinite, figures))
    assert "\n" not in problem
