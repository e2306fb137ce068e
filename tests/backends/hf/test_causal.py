from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from nlptasks.backends.base import Capability
from nlptasks.records import Completion, Delta, Failure, Message, Request
from tests.backends.hf.conftest import Open, ask, completion, teach
from tests.conftest import Tiny

TEXTS = ("今天天气很好", "Hello", "Wer hat den Brief geschrieben, und wo lebt sie jetzt?", "a b c d e f g h i j", "嗯")
FAMILIES = ("llama", "qwen3", "gpt2")


def generate(backend: Any, ids: Sequence[int], **settings: Any) -> list[int]:
    """The new tokens according to transformers' own generate, for one prompt."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(backend.source.name)
    inputs = torch.tensor([list(ids)])
    filler = {"pad_token_id": backend.filler}
    output = model.generate(inputs, attention_mask=torch.ones_like(inputs), **filler, **settings)
    return [int(token) for token in output[0, len(ids) :]]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_batch_answers_as_transformers_does_one_by_one(hf: Open, family: str) -> None:
    backend = hf(family)
    requests = [ask(text, max_new_tokens=16) for text in TEXTS]
    for request, answer in zip(requests, backend.complete(requests), strict=True):
        expected = generate(backend, backend.tokens(request), max_new_tokens=16, do_sample=False)
        assert answer.text == backend.decode(expected)
        assert answer.text == completion(backend, request).text


def test_the_batch_bound_changes_no_answer(hf: Open) -> None:
    requests = [ask(text, max_new_tokens=8) for text in TEXTS]
    wide, narrow = hf("llama"), hf("llama", max_batch_tokens=1)
    assert [a.text for a in narrow.complete(requests)] == [a.text for a in wide.complete(requests)]


def test_the_chat_template_is_applied_once_and_adds_no_second_start(hf: Open) -> None:
    backend = hf("llama")
    rendered = backend.tokenizer.decode(backend.tokens(ask("Be brief.", "今天")))
    assert rendered == "<s><|system|>\nBe brief.</s>\n<|user|>\n今天</s>\n<|assistant|>\n"
    assert Capability.CHAT in backend.capabilities
    assert len(backend.identity()["template"]) == 16


def test_control_tokens_in_a_message_are_text(hf: Open) -> None:
    backend = hf("qwen3")
    end = backend.tokenizer.convert_tokens_to_ids("<|im_end|>")
    honest, sly = (backend.tokens(ask(text)) for text in ("hi", "hi<|im_end|>"))
    assert sly.count(end) == honest.count(end)
    assert "hi<|im_end|><|im_end|>" in backend.tokenizer.decode(sly)


def test_template_arguments_come_from_extra(hf: Open) -> None:
    backend = hf("qwen3")
    request = ask("hi", extra={"chat_template_kwargs": {"enable_thinking": False}})
    assert backend.tokenizer.decode(backend.tokens(request)).endswith("<think>\n\n</think>\n\n")
    assert isinstance(completion(backend, replace(request)), Completion)


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_template_arguments_without_a_template_are_warned_of_and_recorded(
    hf: Open, family: str, caplog: pytest.LogCaptureFixture
) -> None:
    request = ask("hi", max_new_tokens=2, extra={"chat_template_kwargs": {"enable_thinking": False}})
    for _ in range(2):
        assert completion(hf(family), request).data["ignored"] == ["chat_template_kwargs"]
    assert caplog.text.count("has no chat template") == 1


def test_a_template_without_a_system_role_gets_its_text_in_the_user_turn(tiny: Tiny, tmp_path: Path, hf: Open) -> None:
    import shutil

    folder = shutil.copytree(tiny("llama"), tmp_path / "model")
    template = (folder / "chat_template.jinja").read_text(encoding="utf-8")
    refusing = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    (folder / "chat_template.jinja").write_text(refusing + template, encoding="utf-8")
    backend = hf(folder)
    assert "<|user|>\nBe brief.\n\nHi</s>" in backend.tokenizer.decode(backend.tokens(ask("Be brief.", "Hi")))


def test_messages_that_a_template_refuses_fail_alone(tiny: Tiny, tmp_path: Path, hf: Open) -> None:
    import shutil

    folder = shutil.copytree(tiny("llama"), tmp_path / "model")
    template = (folder / "chat_template.jinja").read_text(encoding="utf-8")
    refusing = "{% if messages[0]['content'] == 'bad' %}{{ raise_exception('turns must alternate') }}{% endif %}"
    (folder / "chat_template.jinja").write_text(refusing + template, encoding="utf-8")
    good, bad = hf(folder).complete([ask("good", max_new_tokens=2), ask("bad")])
    assert isinstance(good, Completion)
    assert bad == Failure("bad_request", "The chat template refuses these messages: turns must alternate")


def test_a_base_model_continues_the_plain_text(hf: Open) -> None:
    backend = hf("gpt2")
    request = ask("今天天气很好", task="text-generation", max_new_tokens=8)
    assert backend.tokens(request) == backend.tokenizer("今天天气很好")["input_ids"]
    assert backend.identity()["template"] == "none (completion mode)"
    assert Capability.CHAT not in backend.capabilities


def test_reasoning_goes_to_its_own_field(tiny: Tiny, tmp_path: Path, hf: Open) -> None:
    request = ask("Who?", max_new_tokens=40)
    folder = teach(tiny("qwen3"), [(request, "<think>\nShe wrote.\n</think>\n\n她在伦敦。")], tmp_path / "taught")
    backend = hf(folder)
    answer = completion(backend, request)
    assert (answer.text, answer.reasoning, answer.finish_reason) == ("她在伦敦。", "She wrote.", "stop")
    *deltas, last = backend.stream(request)
    assert last.text == "".join(delta.text for delta in deltas) == answer.text
    assert last.reasoning == "".join(delta.reasoning for delta in deltas) == answer.reasoning
    assert len(deltas) > 4


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("text", TEXTS)
def test_a_stream_joins_to_the_completion(hf: Open, family: str, text: str) -> None:
    backend, request = hf(family), ask(text, max_new_tokens=24)
    *deltas, last = backend.stream(request)
    assert all(isinstance(delta, Delta) for delta in deltas)
    assert "".join(delta.text for delta in deltas) == last.text == completion(backend, request).text


def test_a_stream_that_is_left_ends_the_generation(hf: Open) -> None:
    backend = hf("llama")
    stream = backend.stream(ask("Hello", max_new_tokens=200))
    next(stream)
    stream.close()
    assert completion(backend, ask("Hello", max_new_tokens=2)).usage.completion_tokens == 2


def test_a_failing_stream_is_one_failure(hf: Open) -> None:
    [failure] = hf("llama").stream(ask("x" * 5000))
    assert failure.type == "too_long"


def test_too_long_a_prompt_fails_alone_with_numbers(hf: Open) -> None:
    backend = hf("llama")
    fine, long, full = backend.complete(
        [ask("Hi", max_new_tokens=4), ask("word " * 3000), ask("Hi", max_new_tokens=2040)]
    )
    assert isinstance(fine, Completion)
    assert long.type == full.type == "too_long"
    count = backend.limits().count(ask("word " * 3000))
    assert f"{count} tokens" in long.message
    assert "2048" in long.message
    assert "up to 2040" in full.message
    assert backend.limits().context == 2048


def test_limits_count_the_rendered_prompt(hf: Open) -> None:
    backend, request = hf("llama"), ask("Be brief.", "今天天气很好", max_new_tokens=1)
    assert backend.limits().count(request) == completion(backend, request).usage.prompt_tokens


def test_without_a_length_the_answer_fits_the_context(hf: Open) -> None:
    backend = hf("gpt2")
    answer = completion(backend, ask("walk " * 600))
    assert answer.usage.prompt_tokens + answer.usage.completion_tokens <= 2048


def test_images_are_refused(hf: Open) -> None:
    [failure] = hf("llama").complete([Request((Message("user", "What is this?", (b"...",)),))])
    assert failure.type == "unsupported"
    assert "image" in failure.message


@pytest.mark.parametrize("family", FAMILIES)
def test_strange_text_is_read(hf: Open, family: str) -> None:
    for text in ("", "\x00", "\u202e", "\U0010ffff"):
        answer = completion(hf(family), ask(text, max_new_tokens=2))
        assert answer.usage.completion_tokens == 2 or answer.finish_reason == "stop"


def test_half_a_character_fails_alone(hf: Open) -> None:
    for backend in (hf("llama"), hf("bert-qa"), hf("t5")):
        [failure] = backend.complete([ask("ab\ud83d")])
        assert failure == Failure(
            "bad_request", "The text has half a surrogate pair (U+D83D at character 2): remove it."
        )
        assert [*backend.stream(ask("ab\ud83d"))] == [failure]
