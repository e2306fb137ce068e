"""Perplexity over log-likelihoods, by hand and from a real model."""

from __future__ import annotations

import json
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptasks.metrics.perplexity import Perplexity
from tests.support import Cli

COLUMNS: dict[str, list[Any]] = {"loglikelihood": [-12.0, -30.0], "tokens": [6, 15], "words": [4, 8], "bytes": [20, 50]}
TEXTS = ["one", "two"]
NONE: list[list[str]] = [[], []]


def test_the_parts_are_those_of_lm_evaluation_harness() -> None:
    scores = Perplexity().compute(predictions=TEXTS, references=NONE, **COLUMNS)
    assert scores == pytest.approx(
        {
            "perplexity": math.exp(42 / 21),
            "word_perplexity": math.exp(42 / 12),
            "byte_perplexity": math.exp(42 / 70),
            "bits_per_byte": 42 / 70 / math.log(2),
        }
    )


def test_a_corpus_is_not_the_mean_of_its_texts() -> None:
    metric = pickle.loads(pickle.dumps(Perplexity()))
    rows = metric.statistics(TEXTS, NONE, **{**COLUMNS, "loglikelihood": [-1.0, -60.0]})
    one, two = (metric.aggregate(rows[[at]])["perplexity"] for at in (0, 1))
    assert metric.aggregate(rows)["perplexity"] == pytest.approx(math.exp(61 / 21))
    assert metric.aggregate(rows)["perplexity"] != pytest.approx((one + two) / 2)
    assert metric.aggregate(rows[[1, 1]])["perplexity"] == pytest.approx(two)


NUMBERS = st.tuples(
    st.one_of(st.floats(max_value=0, allow_nan=False), st.just(-math.inf)), *[st.integers(1, 10**9)] * 3
)


@given(rows=st.lists(NUMBERS, min_size=1, max_size=5))
def test_any_numbers_give_finite_scores(rows: list[tuple[float, int, int, int]]) -> None:
    metric = Perplexity()
    columns = dict(zip(metric.columns, map(list, zip(*rows, strict=True)), strict=True))
    with np.errstate(over="ignore"):
        scores = metric.aggregate(metric.statistics([""] * len(rows), [[]] * len(rows), **columns))
    assert all(math.isfinite(value) for value in scores.values())
    assert min(scores["perplexity"], scores["word_perplexity"], scores["byte_perplexity"]) >= 1
    assert scores["bits_per_byte"] >= 0


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"tokens": None}, "no column 'tokens'.*loglikelihood"),
        ({"words": [4]}, "2 texts, but 1 values of 'words'"),
        ({"loglikelihood": [-1.0, math.nan]}, "'loglikelihood' of row 2 must be at most 0, not nan"),
        ({"loglikelihood": [0.5, -1.0]}, "'loglikelihood' of row 1 must be at most 0, not 0.5"),
        ({"loglikelihood": [-1.0, None]}, "row 2 has no number in 'loglikelihood': None"),
        ({"bytes": [0, 5]}, "'bytes' of row 1 must be at least 1, not 0"),
    ],
)
def test_what_is_no_likelihood_is_said_in_one_line(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Perplexity().statistics(TEXTS, NONE, **{**COLUMNS, **change})


def test_nothing_to_score() -> None:
    with pytest.raises(ValueError, match="nothing to score"):
        Perplexity().statistics([], [], loglikelihood=[], tokens=[], words=[], bytes=[])


def test_a_run_of_the_task_gives_the_columns(tiny: Any, cli: Cli, tmp_path: Path) -> None:
    rows = [{"text": "The weather is fine."}, {"text": "今天天气很好"}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    model = f"hf/{tiny('gpt2')}"
    done = cli("run", "loglikelihood", "--model", model, "--input", "in.jsonl", "--output", "out.jsonl")
    assert done.code == 0, done.err
    outputs = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    columns = {name: [row["output"][name] for row in outputs] for name in Perplexity.columns}
    scores = Perplexity().compute(predictions=[row["text"] for row in rows], references=NONE, **columns)
    assert columns["bytes"] == [20, 18]
    assert 1 < scores["byte_perplexity"] < scores["word_perplexity"]
