from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from nlptasks.backends.base import Backend
from nlptasks.backends.openai import fleet, trouble
from nlptasks.records import Completion, Failure, Message, Request
from nlptasks.testing.faults import cut, drip, garbage, hang, mute, status
from nlptasks.testing.servers import Behaviour, FaultServer, ok

backoff = fleet.backoff
Serve = Callable[..., tuple[FaultServer, Backend]]


def ask(text: str = "hello") -> Request:
    return Request((Message("user", text),))


def failed(backend: Backend, text: str = "hello") -> Failure:
    [answer] = backend.complete([ask(text)])
    assert isinstance(answer, Failure), answer
    assert "\n" not in answer.message
    return answer


PASSING = [*(status(code) for code in (408, 409, 429, 500, 502, 503, 529)), cut, mute, garbage]


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_is_tried_again(serve: Serve, fault: Behaviour) -> None:
    server, backend = serve(fault, ok)
    [answer] = backend.complete([ask()])
    assert isinstance(answer, Completion)
    assert answer.text == "hello"
    assert len(server.requests) == 2


@pytest.mark.parametrize("fault", PASSING)
def test_tries_come_to_an_end(serve: Serve, fault: Behaviour) -> None:
    server, backend = serve(fault)
    failure = failed(backend)
    assert failure.retryable
    assert failure.message.endswith("Tried 3 times.")
    assert server.base_url in failure.message
    assert len(server.requests) == 3


@pytest.mark.parametrize("code", [301, 400, 401, 403, 404, 405, 413, 422])
def test_what_stays_is_not_tried_again(serve: Serve, code: int) -> None:
    server, backend = serve(status(code))
    assert not failed(backend).retryable
    assert [received.method for received in server.requests].count("POST") == 1


def test_no_quota_is_not_tried_again(serve: Serve) -> None:
    server, backend = serve(status(429, "You exceeded your quota.", code="insufficient_quota"))
    failure = failed(backend)
    assert not failure.retryable
    assert "billing" in failure.message
    assert len(server.requests) == 1


def test_backoff_grows_with_jitter(serve: Serve, waits: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "backoff", backoff)
    _, backend = serve(status(500), max_retries=4, concurrency=1)
    failed(backend)
    failed(backend)
    first, second = waits[:4], waits[4:]
    assert first != second
    assert all(2**n <= wait <= 2**n + 1 for seconds in (first, second) for n, wait in enumerate(seconds))


def test_retry_after_is_honoured_beyond_the_backoff(serve: Serve, waits: list[float]) -> None:
    date = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=200), usegmt=True)
    asked = [status(429, retry_after="120"), status(503, retry_after=date), status(429, retry_after="soon")]
    _, backend = serve(*asked, ok, max_retries=3)
    [answer] = backend.complete([ask()])
    assert isinstance(answer, Completion)
    assert 120 <= waits[0] <= 121
    assert 100 < waits[1] <= 201
    assert waits[2] == 0


def test_too_long_a_wait_is_said_and_not_waited_for(serve: Serve, waits: list[float]) -> None:
    server, backend = serve(status(429, retry_after="86400"), ok)
    failure = failed(backend)
    assert "86400 s" in failure.message
    assert failure.retryable
    assert waits == []
    assert len(server.requests) == 1


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_key_names_its_variable(serve: Serve, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    monkeypatch.setenv("MY_KEY", "sk-wrong")
    _, backend = serve(status(code), api_key_env="MY_KEY")
    assert "refuses the API key" in failed(backend).message
    monkeypatch.delenv("MY_KEY")
    _, backend = serve(status(code), api_key_env="MY_KEY")
    failure = failed(backend)
    assert failure.type == "authentication"
    assert "wants an API key" in failure.message
    assert "MY_KEY" in failure.message


def test_an_unknown_model_is_answered_with_those_on_offer(serve: Serve) -> None:
    server, backend = serve(status(404))
    server.models = ("tiny-llama", "huge")
    for _ in range(2):
        failure = failed(backend)
        assert "has no model 'tiny'. Did you mean 'tiny-llama'?" in failure.message
        assert "huge" in failure.message
    assert [received.path for received in server.requests].count("/v1/models") == 1


def test_a_wrong_path_hints_at_v1(serve: Serve) -> None:
    server, _ = serve()
    _, backend = serve(base_url=server.base_url.removesuffix("/v1"))
    assert "/v1" in failed(backend).message


def test_nothing_listens(serve: Serve, closed_port: int) -> None:
    _, backend = serve(base_url=f"http://127.0.0.1:{closed_port}/v1", max_retries=0)
    failure = failed(backend)
    assert f"http://127.0.0.1:{closed_port}/v1" in failure.message
    assert "is the server running" in failure.message
    assert failure.type == "connection"
    assert failure.retryable


def test_a_host_that_does_not_exist(serve: Serve) -> None:
    _, backend = serve(base_url="http://no-such-host.invalid/v1", max_retries=0)
    assert "is the server running" in failed(backend).message


@pytest.mark.parametrize("fault", [hang, drip])
def test_the_timeout_covers_the_whole_answer(serve: Serve, fault: Behaviour) -> None:
    _, backend = serve(fault, timeout=0.3, max_retries=1)
    failure = failed(backend)
    assert failure.type == "timeout"
    assert "0.3 s" in failure.message
    assert failure.retryable


def test_the_servers_words_are_shown(serve: Serve) -> None:
    _, backend = serve(status(400, "This model's maximum context length is 10 tokens."))
    assert "maximum context length is 10 tokens" in failed(backend).message
    detail = [{"loc": ["body", "seed"], "msg": "not permitted", "input": "my prompt"}]
    body = json.dumps({"detail": detail}).encode()
    _, backend = serve(lambda exchange: exchange.reply(body, code=422))
    message = failed(backend, "my prompt").message
    assert "not permitted (body.seed)" in message
    assert "my prompt" not in message


@pytest.mark.parametrize("prompt", ["Frau Müller wohnt in der Gartenstraße 7", "张伟住在北京", "Ann"])
def test_words_that_repeat_the_prompt_are_not_shown(serve: Serve, prompt: str) -> None:
    _, backend = serve(status(400, f"cannot parse {prompt[:20]!r} ..."))
    assert prompt[:12] not in failed(backend, prompt).message


def test_a_word_of_the_prompt_is_not_shown(serve: Serve) -> None:
    _, backend = serve(status(400, "Müller"))
    assert "Müller" not in failed(backend, "Frau Müller wohnt in der Gartenstraße 7").message


def test_a_warning_is_no_part_of_a_failure(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    _, backend = serve(status(500))
    failed(backend)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    ("header", "seconds"), [(None, 0), ("", 0), ("7", 7), ("-7", 0), ("nan", 0), ("soon", 0), ("1.5", 1.5)]
)
def test_retry_after(header: str | None, seconds: float) -> None:
    assert trouble.retry_after(header) == seconds


def test_retry_after_a_date_that_is_past() -> None:
    assert trouble.retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
