"""A model as judge: what it is asked, how its words are read, and what is never a silent zero."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptasks import Backend, BackendError, Completion, ConfigError, Failure, Limits, Request, UnsupportedError
from nlptasks.backends.base import Answer, warn_once
from nlptasks.metrics.llm_judge import LlmJudge
from nlptasks.metrics.verdicts import Case, as_text, rating, winner

Says = Callable[[str], "str | Failure"]


@dataclass
class Judge(Backend):
    """Says what a function of the prompt says."""

    says: Says
    context: int | None = None
    asked: list[Request] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    batch_size = 64

    def complete(self, requests: Sequence[Request]) -> list[Answer]:
        self.asked += requests
        self.batches.append(len(requests))
        answers = [self.says(request.messages[-1].content) for request in requests]
        return [Completion(answer) if isinstance(answer, str) else answer for answer in answers]

    def limits(self) -> Limits:
        return Limits(self.context)


@pytest.fixture(autouse=True)
def _warn_again() -> None:
    warn_once.cache_clear()


def between(tag: str, prompt: str) -> str:
    found = re.search(rf"<{tag}>\n(.*?)\n</{tag}>", prompt, re.DOTALL)
    return found[1] if found else ""


def judged(says: Says, predictions: list[str], references: list[list[str]] | None = None, **given: Any) -> Any:
    options = {name: given.pop(name) for name in ("pairwise",) if name in given}
    metric = LlmJudge(judge=Judge(says), **options)
    return metric.aggregate(metric.statistics(predictions, references or [[] for _ in predictions], **given))


# What it is asked


def test_the_judge_sees_question_reference_and_answer_at_temperature_0() -> None:
    judge = Judge(lambda prompt: "Gut. [[8]]")
    metric = LlmJudge(judge=judge)
    scores = metric.compute(
        predictions=["Nach Bremen."], references=[["In die Hansestadt Bremen."]], question=["Wohin fährt das Schiff?"]
    )
    assert scores == {"llm_judge": 80, "judge_failed": 0}
    [request] = judge.asked
    system, user = request.messages
    assert system.role == "system"
    assert "impartial judge" in system.content
    assert between("question", user.content) == "Wohin fährt das Schiff?"
    assert between("reference", user.content) == "In die Hansestadt Bremen."
    assert between("answer", user.content) == "Nach Bremen."
    assert (request.config.temperature, request.config.max_new_tokens) == (0, 1024)


def test_without_a_reference_none_is_mentioned() -> None:
    judge = Judge(lambda prompt: "[[5]]")
    LlmJudge(judge=judge).statistics(["a", "b"], [[], [" "]], document=["Text", None])
    first, second = (request.messages[-1].content for request in judge.asked)
    assert "reference" not in first + second
    assert between("document", first) == "Text"
    assert "document" not in second


def test_a_conversation_is_shown_turn_by_turn() -> None:
    judge = Judge(lambda prompt: "[[5]]")
    talk = [
        {"role": "user", "content": "你好"},
        {"role": "assistant", "content": "你好！"},
        {"role": "user", "content": "再见"},
    ]
    LlmJudge(judge=judge).statistics(["再见！"], [[]], messages=[talk])
    assert between("messages", judge.asked[0].messages[-1].content) == "user: 你好\n\nassistant: 你好！\n\nuser: 再见"


def test_requests_go_out_in_batches() -> None:
    judge = Judge(lambda prompt: "[[5]]")
    LlmJudge(judge=judge).statistics([f"answer {n}" for n in range(100)], [[]] * 100)
    assert judge.batches == [64, 36]


def test_a_small_judge_is_asked_for_a_short_judgement() -> None:
    judge = Judge(lambda prompt: "[[5]]", context=800)
    LlmJudge(judge=judge).statistics(["a"], [[]])
    assert judge.asked[0].config.max_new_tokens == 200


@given(st.lists(st.sampled_from(["</answer>", "</ANSWER-text>", "<answer>", "text", "[[10]]", "\n", "{{ tags }}"])))
def test_no_answer_can_open_or_close_its_tag(pieces: list[str]) -> None:
    answer = "".join(pieces)
    prompt = Case({"question": "What?"}, ["right"]).single(answer)[-1].content
    [tag] = re.findall(r"\n</(answer[\w-]*)>\n\nRate the answer", prompt)
    assert f"\n<{tag}>\n{answer}\n</{tag}>\n\nRate" in prompt
    assert prompt.lower().count(f"<{tag}>") == prompt.lower().count(f"</{tag}>") == 1


# How its words are read


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("It is good.\n[[8]]", 8), ("[[7.5]]", 7.5), ("[[ 7,5 ]]", 7.5), ("[[**10**]]", 10), ("[[8/10]]", 8),
        ("他说[[10]]，其实不好。\n［［２］］", 2), ("【【3】】", 3), ("[[rating: 6]]", 6), ("[[评分：6]]", 6),
        ("[[1]].", 1), ("", None), ("8", None), ("[8]", None), ("[[rating]]", None), ("[[0]]", None), ("[[11]]", None),
        ("[[A]]", None), ("[[-3]]", None), ("[[8]] or [[good]]", None), ("[[８", None),
    ],
)  # fmt: skip
def test_a_rating_is_read_in_any_language(words: str, number: float | None) -> None:
    assert rating(words) == number


@pytest.mark.parametrize(
    ("words", "letter"),
    [("A says [[B]], but:\n[[A]]", "A"), ("[[b]]", "B"), ("［［Ｃ］］", "C"), ("[[verdict: C]]", "C"),
     ("[[letter]]", None), ("[[D]]", None), ("A", None), ("", None)],
)  # fmt: skip
def test_a_verdict_is_read_in_any_language(words: str, letter: str | None) -> None:
    assert winner(words) == letter


@given(st.text())
def test_any_words_are_a_rating_from_1_to_10_or_none(words: str) -> None:
    for text in (words, f"[[{words}]]"):
        number = rating(text)
        assert number is None or 1 <= number <= 10
        assert winner(text) in ("A", "B", "C", None)


def test_text_of_any_column() -> None:
    assert as_text([{"text": "one", "name": "a.txt"}, "two", 3]) == "one\n\ntwo\n\n3"
    assert as_text(None) == ""


# Scores


def test_a_judgement_without_a_verdict_is_left_out_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    said: dict[str, str | Failure] = {
        "good": "[[9]]",
        "fair": "[[5]]",
        "odd": "This secret text?",
        "lost": Failure("server", "down"),
    }
    with caplog.at_level(logging.WARNING, "nlptasks"):
        scores = judged(lambda prompt: said[between("answer", prompt)], list(said))
    assert scores == {"llm_judge": 70, "judge_failed": 50}
    assert "2 of 4 answers of the judge hold no verdict" in caplog.text
    assert "1 of 4 requests failed, the first: down" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("pairwise", [False, True])
def test_where_no_verdict_can_be_read_there_is_no_rating(pairwise: bool) -> None:
    scores = judged(lambda prompt: "Hm.", ["a", "b"], baseline=["c", "d"], pairwise=pairwise)
    assert scores == {"judge_failed": 100}


def test_a_judge_that_answers_nothing_is_an_error() -> None:
    with pytest.raises(BackendError, match="the judge answered nothing: connection refused"):
        judged(lambda prompt: Failure("server", "connection refused"), ["a", "b"])


def prefers(*order: str) -> Says:
    """A judge that has its favourites, whatever their place."""

    def says(prompt: str) -> str:
        first, second = (order.index(between(f"answer_{letter}", prompt)) for letter in "ab")
        return "[[C]]" if first == second else "[[A]]" if first < second else "[[B]]"

    return says


def test_pairs_are_judged_in_both_orders() -> None:
    scores = judged(prefers("best", "good", "bad"), ["best", "good", "bad", "good"], pairwise=True,
                    baseline=["good", "good", "good", "bad"])  # fmt: skip
    assert scores == {
        "llm_judge": 62.5, "judge_wins": 50, "judge_ties": 25, "judge_losses": 25, "judge_inconsistent": 0,
        "judge_failed": 0,
    }  # fmt: skip


def test_a_judge_that_goes_by_the_place_finds_only_ties() -> None:
    scores = judged(lambda prompt: "[[A]]", ["a", "b"], pairwise=True, baseline=["c", "d"])
    assert (scores["llm_judge"], scores["judge_ties"], scores["judge_inconsistent"]) == (50, 100, 100)


def test_a_win_in_one_order_and_a_tie_in_the_other_is_a_tie() -> None:
    scores = judged(
        lambda prompt: "[[A]]" if between("answer_a", prompt) == "ours" else "[[C]]",
        ["ours"],
        pairwise=True,
        baseline=["theirs"],
    )
    assert (scores["judge_ties"], scores["judge_inconsistent"]) == (100, 100)


def test_a_pair_needs_both_verdicts() -> None:
    says = prefers("best", "good")
    scores = judged(
        lambda prompt: "Both." if between("answer_a", prompt) == "odd" else says(prompt.replace("odd", "good")),
        ["best", "odd"],
        pairwise=True,
        baseline=["good", "best"],
    )
    assert (scores["llm_judge"], scores["judge_wins"], scores["judge_failed"]) == (100, 100, 50)


@pytest.mark.parametrize("pairwise", [False, True])
def test_any_rows_aggregate_in_any_order(pairwise: bool) -> None:
    words = ["[[3]]", "[[A]]", "none", "[[B]]", "[[C]]", "[[7]]"]
    metric = LlmJudge(judge=Judge(lambda prompt: words[len(prompt) % 6]), pairwise=pairwise)
    texts = ["x" * n for n in range(12)]
    rows = metric.statistics(texts, [[]] * 12, baseline=texts[::-1])
    assert metric.aggregate(rows) == pytest.approx(metric.aggregate(rows[::-1]))
    for row in range(12):
        assert all(0 <= value <= 100 for value in metric.aggregate(rows[[row]]).values())


# What it needs


def test_without_a_judge_it_says_how_to_name_one() -> None:
    with pytest.raises(ConfigError, match="--judge"):
        LlmJudge()


@pytest.mark.parametrize(
    ("predictions", "references", "columns", "problem"),
    [
        ([], [], {}, "nothing to score"),
        (["a"], [], {}, "1 predictions, but 0 values of references"),
        (["a"], [[]], {"question": ["b", "c"]}, "1 predictions, but 2 values of question"),
    ],
)
def test_what_cannot_be_judged_is_said_in_one_line(
    predictions: Any, references: Any, columns: Any, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        LlmJudge(judge="echo").statistics(predictions, references, **columns)


def test_pairwise_needs_the_other_answers() -> None:
    with pytest.raises(ValueError, match="baseline"):
        LlmJudge(judge="echo", pairwise=True).statistics(["a"], [[]])


def test_a_judge_by_name() -> None:
    metric = LlmJudge(judge="echo")
    scores = metric.compute(predictions=["[[10]] please"], references=[["b"]])
    assert scores == {"judge_failed": 100}  # it repeats the prompt, which holds no verdict of its own
    assert re.fullmatch(r"llm_judge\|v:1\|judge:echo\|mode:single\|prompt:[0-9a-f]{8}", metric.signature)


def test_a_model_that_does_no_chat_is_no_judge(tiny: Callable[[str], Path]) -> None:
    with pytest.raises(UnsupportedError, match="translation only"):
        LlmJudge(judge=f"hf/{tiny('marian')}").statistics(["a"], [["b"]])


def test_a_local_model_as_judge(tiny: Callable[[str], Path]) -> None:
    metric = LlmJudge(judge=f"hf/{tiny('qwen3')}", max_new_tokens=4)
    scores = metric.compute(predictions=["a"], references=[["b"]])
    assert scores == {"judge_failed": 100}  # a model this tiny writes nonsense
