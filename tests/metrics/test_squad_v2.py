"""SQuAD 2.0: questions with and without an answer, as the official script counts them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlptasks.metrics.squad_v2 import SquadV2
from tests.metrics.samples import LANGUAGES, bench, guesses
from tests.metrics.test_squad import f1, squad_tokens


def official(prediction: str, answers: list[str]) -> tuple[float, float]:
    gold = [squad_tokens(text) for text in answers if squad_tokens(text)] or [[]]
    said = squad_tokens(prediction)
    overlaps = [f1(said, tokens) if said and tokens else float(said == tokens) for tokens in gold]
    return 100.0 * (said in gold), 100 * max(overlaps)


def official_best(score: list[float], answerable: list[bool], said: list[bool], doubt: list[float]) -> Any:
    best, threshold = current, _ = 100.0 * answerable.count(False), 0.0
    for at in sorted(range(len(doubt)), key=doubt.__getitem__):
        current += score[at] if answerable[at] else -100 * said[at]
        if current > best:
            best, threshold = current, doubt[at]
    return best / len(doubt), threshold


def test_it_equals_the_official_rules() -> None:
    rows = bench("squad2_en/question-answering.en.jsonl")
    predictions, references = guesses(rows), [row["answers"] for row in rows]
    expected = np.array([official(*pair) for pair in zip(predictions, references, strict=True)])
    answerable = np.array([bool(texts) for texts in references])
    doubt = np.random.default_rng(3).integers(0, len(rows) // 2, len(rows)) / len(rows)  # some are equal
    score = SquadV2(lang="en").compute(predictions=predictions, references=references, no_answer_score=doubt.tolist())
    assert 50 < answerable.sum() < len(rows) - 50
    best = [
        official_best(list(part), answerable.tolist(), list(map(bool, predictions)), list(doubt)) for part in expected.T
    ]
    assert score == pytest.approx(
        {
            "exact_match": expected[:, 0].mean(),
            "f1": expected[:, 1].mean(),
            "HasAns_exact": expected[answerable, 0].mean(),
            "HasAns_f1": expected[answerable, 1].mean(),
            "HasAns_total": answerable.sum(),
            "NoAns_exact": expected[~answerable, 0].mean(),
            "NoAns_f1": expected[~answerable, 1].mean(),
            "NoAns_total": (~answerable).sum(),
            "best_exact": best[0][0],
            "best_exact_thresh": best[0][1],
            "best_f1": best[1][0],
            "best_f1_thresh": best[1][1],
        },
        abs=1e-9,
    )


def test_no_answer_is_an_empty_text_on_either_side() -> None:
    metric = SquadV2(lang="en")
    rows = metric.statistics(["", "", "a ferry", "ferry", ""], [[], [""], [], ["the ferry"], ["ferry"]])
    assert rows[:, 0].tolist() == rows[:, 1].tolist() == [100, 100, 0, 100, 0]
    assert metric.aggregate(rows) == {
        "exact_match": 60, "f1": 60,
        "HasAns_exact": 50, "HasAns_f1": 50, "HasAns_total": 2,
        "NoAns_exact": pytest.approx(200 / 3), "NoAns_f1": pytest.approx(200 / 3), "NoAns_total": 3,
    }  # fmt: skip


def test_a_resample_without_answerable_questions_leaves_their_part_out() -> None:
    metric = SquadV2(lang="en")
    rows = metric.statistics(["", "ferry"], [[], ["ferry"]])
    score = metric.aggregate(rows[[0, 0]])
    assert score == {
        "exact_match": 100, "f1": 100, "HasAns_total": 0,
        "NoAns_exact": 100, "NoAns_f1": 100, "NoAns_total": 2,
    }  # fmt: skip


def test_of_equal_scores_the_first_row_comes_first_as_in_the_official_script() -> None:
    metric = SquadV2(lang="en")
    rows = metric.statistics(["ferry", "bus"], [["ferry"], []], no_answer_score=[0.4, 0.4])
    best = {name: value for name, value in metric.aggregate(rows).items() if name.startswith("best")}
    assert best == {"best_exact": 100, "best_exact_thresh": 0.4, "best_f1": 100, "best_f1_thresh": 0.4}


def test_thresholds_need_a_score_in_every_row() -> None:
    metric = SquadV2(lang="en")
    rows = metric.statistics(["ferry", "bus"], [["ferry"], []], no_answer_score=[0.4, None])
    assert not any(name.startswith("best") for name in metric.aggregate(rows))


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(st.text(), st.lists(st.text(), max_size=2)), min_size=1, max_size=4),
    lang=st.sampled_from([*LANGUAGES, None]),
)
def test_any_text_gets_a_score(rows: list[tuple[str, list[str]]], lang: str | None) -> None:
    score = SquadV2(lang=lang).compute(predictions=[said for said, _ in rows], references=[texts for _, texts in rows])
    assert score["HasAns_total"] + score["NoAns_total"] == len(rows)
    assert all(0 <= value <= 100 + 1e-9 for value in score.values())


def test_lists_of_different_length_are_one_line() -> None:
    with pytest.raises(ValueError, match=r"^squad_v2: 2 predictions, but references for 1$"):
        SquadV2().statistics(["a", "b"], [["a"]])
