"""The loglikelihood task, on a real model and on backends that have no such thing."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import nlptasks
from nlptasks import Completion, ConfigError, InputError, Prompts, SampleError
from nlptasks_chat.likelihood import LogLikelihood


def test_it_is_the_sum_of_the_tokens_log_probabilities(tiny: Any) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder, text = tiny("gpt2"), "Who wrote the letter?"
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    ids = tokenizer(text)["input_ids"]
    with torch.inference_mode():
        chances = model(torch.tensor([[tokenizer.bos_token_id, *ids]])).logits[0].log_softmax(-1)
    expected = sum(float(chances[at, token]) for at, token in enumerate(ids))
    with nlptasks.task("loglikelihood", model=f"hf/{folder}") as score:
        scored = score(text)
    assert scored.loglikelihood == pytest.approx(expected, abs=1e-3)
    assert (scored.tokens, scored.words, scored.bytes) == (len(ids), 4, 21)


def test_the_context_is_read_and_not_scored(tiny: Any) -> None:
    with nlptasks.task("loglikelihood", model=f"hf/{tiny('gpt2')}") as score:
        alone, after = score(" in London"), score(text=" in London", context="She lives")
    assert after.tokens == alone.tokens
    assert after.loglikelihood != pytest.approx(alone.loglikelihood, abs=1e-3)


def test_words_and_bytes_count_as_in_lm_evaluation_harness(ask: Any) -> None:
    def answer(request: Any) -> Completion:
        assert request.continuation == request.fields["text"]
        return Completion(request.continuation, data={"loglikelihood": -3.5, "tokens": 2})

    result = ask(LogLikelihood(), {"text": "Zwei  Wörter\nund eins "}, answer).result
    assert (result.loglikelihood, result.tokens, result.words, result.bytes) == (-3.5, 2, 5, 23)


def test_a_backend_without_likelihoods_fails_the_sample() -> None:
    with nlptasks.task("loglikelihood", model="echo") as score, pytest.raises(SampleError, match="--model hf/"):
        score("text")


def test_empty_text_and_own_prompts_are_refused() -> None:
    with nlptasks.task("loglikelihood", model="echo") as score, pytest.raises(InputError, match="empty"):
        score("")
    with pytest.raises(ConfigError, match="--prompt"):
        LogLikelihood(Prompts(user="{{ text }}"))
