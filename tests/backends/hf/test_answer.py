from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nlptasks.backends.hf.answer import Reading, TextStream
from tests.backends.hf.conftest import Open

PIECES = st.lists(st.sampled_from(["<think>", "</think>", "<", "th", "ink>", "\n", " ", "ab", "END", "E", "N", "好"]))


@pytest.mark.parametrize(
    ("raw", "text", "reasoning"),
    [
        ("<think>\nHmm, 4.\n</think>\n\nFour.", "Four.", "Hmm, 4."),
        ("\n<think>a</think>b", "b", "a"),
        ("<think>never closed", "", "never closed"),
        ("No tags.", "No tags.", ""),
        ("2 <think> is later", "2 <think> is later", ""),
        ("<think>\n\n</think>\n\n好", "好", ""),
    ],
)
def test_reasoning_is_kept_apart(raw: str, text: str, reasoning: str) -> None:
    assert Reading(reasoning=True).split(raw) == (text, reasoning)


def test_a_prompt_may_open_the_reasoning() -> None:
    assert Reading(reasoning=True, opened=True).split("so\n</think>\nYes") == ("Yes", "so")


def test_without_reasoning_tags_are_text() -> None:
    assert Reading().split("<think>a</think>b") == ("<think>a</think>b", "")


def test_the_earliest_stop_text_ends_the_answer() -> None:
    assert Reading(stop=("zz", "\n")).cut("ab\ncd zz") == ("ab", True)
    assert Reading(stop=("zz",)).cut("ab z") == ("ab z", False)


@given(PIECES, st.booleans(), st.booleans())
@example(["<think>", "ab", " ", "</think>", "\n", "ab", "EN"], True, False)
@example(["\n", "<", "th", "ink>", "\n"], True, False)
def test_pieces_that_were_handed_out_are_never_taken_back(pieces: list[str], reasoning: bool, opened: bool) -> None:
    reading = Reading(("END",), reasoning, opened)
    raw = seen_text = seen_reasoning = ""
    for piece in pieces:
        raw += piece
        text, thoughts = reading.split(reading.settled(raw), done=False)
        assert text.startswith(seen_text)
        assert thoughts.startswith(seen_reasoning)
        seen_text, seen_reasoning = text, thoughts
    final_text, final_reasoning = reading.split(reading.cut(raw)[0])
    assert final_text.startswith(seen_text)
    assert final_reasoning.startswith(seen_reasoning)


@pytest.mark.parametrize("family", ["llama", "marian", "t5", "nllb"])
@pytest.mark.parametrize(
    "text", ["今天天气很好,我们去公园散步。", "Die Königin wohnt über dem Fluss.", "a  b\n c", "🦊 fox"]
)
def test_streamed_text_is_the_decoded_text(hf: Open, family: str, text: str) -> None:
    backend = hf(family)
    ids: Sequence[int] = backend.tokenizer(text, add_special_tokens=False)["input_ids"]
    stream = TextStream(backend.decode)
    pieces = [stream.push(token) for token in ids]
    assert "".join(pieces) == backend.decode(ids)
    assert not any("\ufffd" in piece for piece in pieces)
