from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from nlptasks.backends.base import Capability
from nlptasks.records import Completion, Failure, Request
from nlptasks.testing.tokenizers import SENTENCES
from tests.backends.hf.conftest import Open, ask, completion

PAIRS = (
    ("Who wrote the letter?", " She lives in London."),
    ("今天天气很好", " Wer?"),
    ("a b", "c"),
    ("Wo lebt sie jetzt?", " Im Schloss."),
)


def scored(prompt: str, continuation: str) -> Request:
    return replace(ask(prompt), continuation=continuation)


def likelihood(backend: Any, ids: list[int], border: int) -> float:
    """The log-likelihood of ``ids[border:]``, token by token, each from a call of its own."""
    total = 0.0
    for at in range(border, len(ids)):
        with torch.inference_mode():
            logits = backend.model(torch.tensor([ids[:at]])).logits[0, -1]
        total += float(logits.log_softmax(-1)[ids[at]])
    return total


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_loglikelihood_is_the_sum_over_the_continuations_tokens(hf: Open, family: str) -> None:
    backend = hf(family)
    assert Capability.LOGLIKELIHOOD in backend.capabilities
    answers = backend.complete([scored(*pair) for pair in PAIRS])
    for pair, answer in zip(PAIRS, answers, strict=True):
        prompt = backend.tokens(ask(pair[0]))
        rest = backend.tokenizer(pair[1], add_special_tokens=False)["input_ids"]
        if backend.template is None:
            assert backend.tokenizer("".join(pair))["input_ids"] == prompt + rest  # no token spans the border here
        assert answer.data["loglikelihood"] == pytest.approx(likelihood(backend, prompt + rest, len(prompt)), abs=1e-3)
        assert answer.data["tokens"] == len(rest)
        assert completion(backend, scored(*pair)).data["loglikelihood"] == pytest.approx(
            answer.data["loglikelihood"], abs=1e-4
        )


def test_a_token_across_the_border_counts_to_the_continuation(hf: Open) -> None:
    backend = hf("gpt2")
    whole = backend.tokenizer("weather")["input_ids"]
    first = next(n for n in range(1, 7) if backend.tokenizer("weather"[:n])["input_ids"] != whole[:1])
    answer = completion(backend, scored("weather"[:first], "weather"[first:]))
    assert 1 <= answer.data["tokens"] <= len(whole)


def test_the_greedy_continuation_is_known_as_such(hf: Open) -> None:
    backend = hf("llama")
    greedy = [(text, completion(backend, ask(text, max_new_tokens=1)).text) for text in SENTENCES]
    prompt, best = next((text, token) for text, token in greedy if len(token) > 1)
    answers = backend.complete([scored(prompt, best), scored(prompt, best + "!"), scored(prompt, "!")])
    assert answers[0].data["is_greedy"]
    assert not answers[2].data["is_greedy"]
    assert answers[1].data["loglikelihood"] < answers[0].data["loglikelihood"]


def test_a_continuation_without_a_prompt_has_something_before_it(hf: Open) -> None:
    assert completion(hf("gpt2"), scored("", "The weather")).data["tokens"] >= 1


def test_what_cannot_be_scored_fails_alone(hf: Open) -> None:
    empty, long, fine = hf("llama").complete([scored("Hi", ""), scored("Hi", "word " * 3000), scored("Hi", " ho")])
    assert (empty.type, long.type) == ("bad_request", "too_long")
    assert isinstance(fine, Completion)
    for family in ("t5", "llava"):
        [failure] = hf(family).complete([scored("Hi", " ho")])
        assert isinstance(failure, Failure)
        assert failure.type == "unsupported"
