"""The ``openai`` backend against a real server."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from nlptasks.backends.base import Backend
from nlptasks.backends.openai import Options, load
from nlptasks.records import Completion, Delta, Failure, GenerationConfig, Message, Request

Tiny = Callable[[str], Path]

MESSAGES = (Message("system", "Sei kurz."), Message("user", "你好! Who wrote the letter?"))


def ask(*messages: Message, **config: Any) -> Request:
    return Request(messages or MESSAGES, config=GenerationConfig(max_new_tokens=12, **config))


@pytest.fixture
def options(transformers_serve: str, monkeypatch: pytest.MonkeyPatch) -> Options:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return Options(base_url=transformers_serve, max_retries=0)


@pytest.fixture
def backend(tiny: Tiny, options: Options) -> Iterator[Backend]:
    with load(str(tiny("llama")), options) as backend:
        yield backend


def completed(backend: Backend, request: Request) -> Completion:
    [answer] = backend.complete([request])
    assert isinstance(answer, Completion), answer
    return answer


def test_it_answers_what_the_model_itself_would(tiny: Tiny, backend: Backend) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny("llama"))
    model: Any = AutoModelForCausalLM.from_pretrained(tiny("llama"))
    chat = [{"role": message.role, "content": message.content} for message in MESSAGES]
    inputs: Any = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    read = inputs["input_ids"].shape[1]
    output = model.generate(**inputs, max_new_tokens=12, do_sample=False)[0, read:]

    answer = completed(backend, ask())
    assert answer.text == tokenizer.decode(output, skip_special_tokens=True)
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (read, 12)
    assert answer.finish_reason == "length"
    # Versions before 5.24 add the revision to the name, and a name that was asked for is not repeated.
    assert answer.data.get("model", str(tiny("llama"))).removesuffix("@main") == str(tiny("llama"))


def test_it_streams_the_same(backend: Backend) -> None:
    whole = completed(backend, ask())
    *deltas, last = backend.stream(ask())
    assert len(deltas) > 3
    assert isinstance(last, Completion)
    assert "".join(delta.text for delta in deltas if isinstance(delta, Delta)) == last.text
    # The server's stream leaves out half a character at the end.
    assert last.text.rstrip("\ufffd") == whole.text.rstrip("\ufffd")
    assert (last.usage, last.finish_reason) == (whole.usage, whole.finish_reason)


def test_many_requests_at_once(backend: Backend) -> None:
    alone = [completed(backend, ask(Message("user", f"Number {number}"))).text for number in range(3)]
    together = backend.complete([ask(Message("user", f"Number {number % 3}")) for number in range(24)])
    assert [answer.text for answer in together if isinstance(answer, Completion)] == alone * 8


def test_options_reach_the_model(backend: Backend) -> None:
    greedy = completed(backend, ask()).text
    stop = greedy[3:5]
    stopped = completed(backend, ask(stop=(stop,)))
    assert stopped.finish_reason == "stop"
    assert stopped.usage.completion_tokens < 12
    sampled = completed(backend, ask(temperature=5.0, seed=1, extra={"generation_config": '{"do_sample": true}'}))
    assert sampled.text != greedy


def test_it_reads_images(tiny: Tiny, options: Options) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(buffer, "PNG")
    question = "What colour is it?"
    with load(str(tiny("llava")), options) as backend:
        seen = completed(backend, ask(Message("user", question, (buffer.getvalue(),))))
        unseen = completed(backend, ask(Message("user", question)))
    assert seen.text
    # A picture of 32 x 32 pixels is 16 patches of 8 x 8.
    assert seen.usage.prompt_tokens >= unseen.usage.prompt_tokens + 16


def test_a_schema_it_cannot_honour_is_recorded(backend: Backend) -> None:
    stop = completed(backend, ask()).text[3:5]
    config = GenerationConfig(max_new_tokens=12, stop=(stop,))
    answer = completed(backend, Request(MESSAGES, config=config, schema={"type": "object"}))
    assert answer.finish_reason == "stop"
    assert answer.data["ignored"] == ["schema"]


def test_an_option_it_does_not_know_is_its_words(backend: Backend) -> None:
    [failure] = backend.complete([ask(extra={"min_p": 0.1})])
    assert isinstance(failure, Failure)
    assert "min_p" in failure.message


def test_an_unknown_model_is_a_failure(options: Options, backend: Backend) -> None:
    with load("no/such-model", options) as unknown:
        [failure] = unknown.complete([ask()])
    assert isinstance(failure, Failure)
    assert completed(backend, ask()).text
