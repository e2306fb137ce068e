from __future__ import annotations

import io
import subprocess
import sys
import typing
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from nlptasks.backends.base import Backend, Capability
from nlptasks.backends.openai import Options, load
from nlptasks.errors import ConfigError, ModelError
from nlptasks.records import Completion, Failure, GenerationConfig, Message, Request, Usage
from nlptasks.testing.faults import status
from nlptasks.testing.servers import Behaviour, Exchange, FaultServer, ok

Serve = Callable[..., tuple[FaultServer, Backend]]


def ask(text: str = "hello", **changes: Any) -> Request:
    return Request((Message("user", text),), **changes)


def answered(backend: Backend, request: Request) -> Completion:
    [answer] = backend.complete([request])
    assert isinstance(answer, Completion), answer
    return answer


def failed(backend: Backend, request: Request) -> Failure:
    [answer] = backend.complete([request])
    assert isinstance(answer, Failure), answer
    return answer


def picture(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, kind)
    return buffer.getvalue()


def lacks(name: str, message: str, **error: str) -> Behaviour:
    """A server that never takes the parameter ``name``."""

    def behave(exchange: Exchange) -> None:
        (status(400, message, **error) if name in exchange.received.body else ok)(exchange)

    return behave


def test_import_is_light() -> None:
    heavy = "{'httpx', 'tenacity', 'asyncio', 'anyio', 'torch'}"
    code = f"import sys, nlptasks.backends.openai; print({heavy} & sys.modules.keys())"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


def test_the_factory_declares_its_options() -> None:
    assert typing.get_type_hints(load)["options"] is Options
    assert all(field.description for field in Options.model_fields.values())
    assert not any("key" in name and not name.endswith("_env") for name in Options.model_fields)


def test_base_url_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert Options().base_url == ("https://api.openai.com/v1",)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1")
    assert load("tiny", Options()).identity()["base_url"] == "http://localhost:1/v1"


@pytest.mark.parametrize("url", ["localhost:8000/v1", "", "ftp://host/v1", "http://", "http://h:x/"])
def test_a_base_url_that_is_none(url: str) -> None:
    with pytest.raises(ConfigError, match="http://localhost:8000/v1"):
        load("tiny", Options(base_url=url))


def test_a_model_must_be_named() -> None:
    with pytest.raises(ModelError, match="openai/gpt"):
        load("", Options())


def test_a_key_that_no_header_can_carry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "schlüssel")
    with pytest.raises(ConfigError, match="OPENAI_API_KEY") as caught:
        load("tiny", Options())
    assert "schlüssel" not in str(caught.value)


def test_a_proxy_that_cannot_be_used(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    _, backend = serve()
    monkeypatch.setenv("ALL_PROXY", "nonsense://127.0.0.1:1")
    with pytest.raises(ConfigError, match="proxy"):
        backend.complete([ask()])


def test_everything_asked_is_in_the_body(serve: Serve) -> None:
    server, backend = serve()
    config = GenerationConfig(
        max_new_tokens=7, temperature=0.5, top_p=0.9, stop=("\n", "。"), seed=3, extra={"min_p": 0.1}
    )
    messages = (Message("system", "Sei kurz."), Message("user", "你好"))
    answer = answered(backend, Request(messages, config=config))
    assert server.requests[0].body == {
        "model": "tiny",
        "messages": [{"role": "system", "content": "Sei kurz."}, {"role": "user", "content": "你好"}],
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 7,
        "stop": ["\n", "。"],
        "seed": 3,
        "min_p": 0.1,
    }
    assert (answer.text, answer.finish_reason, answer.usage) == ("你好", "stop", Usage(1, 1))
    assert answer.latency > 0


def test_nothing_unasked_is_in_the_body(serve: Serve) -> None:
    server, backend = serve()
    answered(backend, ask())
    assert server.requests[0].body.keys() == {"model", "messages", "temperature"}


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "webp"])
def test_images_travel_as_data_uris(serve: Serve, kind: str) -> None:
    server, backend = serve()
    answered(backend, Request((Message("user", "What is it?", (picture(kind),)),)))
    image, text = server.requests[0].body["messages"][0]["content"]
    assert image["image_url"]["url"].startswith(f"data:image/{kind};base64,")
    assert text == {"type": "text", "text": "What is it?"}


def test_an_unknown_image_fails_alone(serve: Serve) -> None:
    server, backend = serve()
    bad = Request((Message("user", "?", (picture("bmp"),)),))
    first, second, third = backend.complete([ask("one"), bad, ask("three")])
    assert isinstance(first, Completion)
    assert isinstance(third, Completion)
    assert isinstance(second, Failure)
    assert "PNG" in second.message
    assert len(server.requests) == 2


def test_answers_keep_the_order_of_requests(serve: Serve) -> None:
    _, backend = serve(concurrency=3)
    texts = [f"text {number}" for number in range(30)]
    answers = backend.complete([ask(text) for text in texts])
    assert [answer.text for answer in answers if isinstance(answer, Completion)] == texts


def test_a_schema_becomes_a_response_format(serve: Serve) -> None:
    server, backend = serve()
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    assert "ignored" not in answered(backend, ask('{"a": 1}', schema=schema)).data
    sent = server.requests[0].body["response_format"]
    assert sent["type"] == "json_schema"
    assert sent["json_schema"]["schema"] == schema
    assert sent["json_schema"]["strict"] is True


def test_a_schema_the_server_ignores_is_recorded(serve: Serve) -> None:
    _, backend = serve()
    assert answered(backend, ask("no JSON", schema={"type": "object"})).data["ignored"] == ["schema"]


def test_beams_are_recorded_as_ignored(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    server, backend = serve()
    for _ in range(2):
        answer = answered(backend, ask(config=GenerationConfig(num_beams=4)))
        assert answer.data["ignored"] == ["num_beams"]
    assert "num_beams" not in server.requests[0].body
    assert caplog.text.count("num_beams") == 1


def test_max_completion_tokens_is_learnt_once(serve: Serve) -> None:
    message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    server, backend = serve(lacks("max_tokens", message, code="unsupported_parameter", param="max_tokens"))
    for _ in range(2):
        assert "ignored" not in answered(backend, ask(config=GenerationConfig(max_new_tokens=9))).data
    first, second, third = (received.body for received in server.requests)
    assert first["max_tokens"] == 9
    assert second["max_completion_tokens"] == third["max_completion_tokens"] == 9
    assert "max_tokens" not in third


def test_a_parameter_the_server_does_not_take_is_left_out(serve: Serve) -> None:
    server, backend = serve(lacks("temperature", "Only 1.", code="unsupported_value", param="temperature"))
    assert answered(backend, ask()).data["ignored"] == ["temperature"]
    assert len(server.requests) == 2


def test_a_parameter_with_a_wrong_value_is_not_left_out(serve: Serve) -> None:
    server, backend = serve(lacks("temperature", "Too hot.", code="invalid_value", param="temperature"))
    assert failed(backend, ask()).message.endswith("Too hot.")
    assert len(server.requests) == 1


def test_scoring_a_text_is_refused_unsent(serve: Serve) -> None:
    server, backend = serve()
    assert failed(backend, ask(continuation="world")).type == "unsupported"
    assert server.requests == []
    assert Capability.LOGLIKELIHOOD not in backend.capabilities


def test_a_lone_surrogate_is_sent_as_a_question_mark(serve: Serve) -> None:
    _, backend = serve()
    assert answered(backend, ask("a\ud800b")).text == "a?b"


def test_extra_that_is_no_json_fails(serve: Serve) -> None:
    server, backend = serve()
    assert failed(backend, ask(config=GenerationConfig(extra={"x": object()}))).type == "bad_request"
    assert server.requests == []


def test_the_key_goes_to_the_server_and_nowhere_else(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setenv("MY_KEY", "sk-secret-4711\n")
    for behaviour in (ok, status(401, "bad key sk-secret-4711"), status(400, "bad key sk-secret-4711")):
        server, backend = serve(behaviour, api_key_env="MY_KEY")
        [answer] = backend.complete([ask()])
        assert server.requests[0].headers["authorization"] == "Bearer sk-secret-4711"
        assert "4711" not in repr(answer) + repr(backend) + repr(backend.identity())
    assert "4711" not in caplog.text


def test_user_and_query_of_the_base_url_stay_hidden(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    server, _ = serve(ok)
    address = server.base_url.replace("http://", "http://ann:hunter2@") + "?version=1"
    _, backend = serve(base_url=address)
    answered(backend, ask())
    assert server.requests[0].path == "/v1/chat/completions?version=1"
    assert server.requests[0].headers["authorization"].startswith("Basic ")
    assert backend.identity() == {"backend": "openai", "base_url": server.base_url, "model": "tiny"}
    assert "hunter2" not in caplog.text


def test_a_closed_backend_can_be_used_again(serve: Serve) -> None:
    _, backend = serve()
    for _ in range(2):
        assert answered(backend, ask()).text == "hello"
        backend.close()
