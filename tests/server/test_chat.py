"""``/v1/chat/completions`` with OpenAI's own client, and without."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from nlptasks.backends.echo import load as echo
from tests.backends.hf.conftest import Open
from tests.server.conftest import Serve, Served
from tests.server.test_tasks import Batches

SAID = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Grüß Gott, 你好"}]


def client(served: Served) -> Any:
    return openai.OpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0)


def test_the_official_client_gets_an_answer(serve: Serve) -> None:
    ask = client(serve(echo("")))
    assert [model.id for model in ask.models.list()] == ["the/model"]
    answer = ask.chat.completions.create(model="the/model", messages=SAID, temperature=0.5, seed=1, max_tokens=50)
    assert answer.choices[0].message.content == "Grüß Gott, 你好"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


def test_the_official_client_gets_a_stream_of_a_local_model(serve: Serve, hf: Open) -> None:
    ask = client(serve(hf("llama")))
    told = {"model": "the/model", "messages": SAID, "max_completion_tokens": 12}
    whole = ask.chat.completions.create(**told)
    chunks = list(ask.chat.completions.create(**told, stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert len([chunk for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]) > 2
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason == "length"
    assert chunks[-1].usage == whole.usage


def test_two_streams_of_a_local_model_come_at_once(serve: Serve, hf: Open) -> None:
    ask = client(serve(hf("llama")))
    told = {"model": "the/model", "stream": True, "messages": SAID, "temperature": 1.0}
    long = ask.chat.completions.create(**told, max_tokens=120, seed=1)
    next(long)
    short = list(ask.chat.completions.create(**told, max_tokens=4, seed=2))
    assert short[-1].choices[0].finish_reason == "length"
    rest = list(long)
    assert rest[-1].choices[0].finish_reason in ("stop", "length")


def test_pictures_come_as_data_only(serve: Serve) -> None:
    ask = client(serve(echo("")))
    link = {"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}}
    with pytest.raises(openai.BadRequestError, match="data URI"):
        ask.chat.completions.create(model="the/model", messages=[{"role": "user", "content": [link]}])


@pytest.mark.parametrize(
    ("more", "error", "word"),
    [
        ({"model": "gpt-5"}, openai.NotFoundError, "the/model"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, openai.BadRequestError, "tools"),
        ({"n": 2}, openai.BadRequestError, "n: "),
        ({"logprobs": True}, openai.BadRequestError, "logprobs"),
        ({"frequency_penalty": 1}, openai.BadRequestError, "frequency_penalty"),
        ({"messages": []}, openai.BadRequestError, "messages"),
        ({"messages": [{"role": "assistant", "content": "Hi"}]}, openai.BadRequestError, "user"),
        ({"messages": [{"role": "user", "content": "forbidden"}]}, openai.BadRequestError, "no such words"),
    ],
)
def test_what_is_not_offered_is_said(serve: Serve, more: dict[str, Any], error: type[Exception], word: str) -> None:
    with pytest.raises(error, match=word):
        client(serve(Batches())).chat.completions.create(**{"model": "the/model", "messages": SAID, **more})


def test_a_failure_in_a_stream_is_an_error_event(serve: Serve) -> None:
    served = serve(Batches())
    said = [{"role": "user", "content": "forbidden"}]
    with pytest.raises(openai.APIError, match="no such words"):
        list(client(served).chat.completions.create(model="the/model", messages=said, stream=True))
