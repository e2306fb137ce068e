from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from nlptasks.backends.base import Backend
from nlptasks.backends.openai import client
from nlptasks.records import Completion, Failure, Message, Request
from nlptasks.testing.faults import html, sends
from nlptasks.testing.servers import Behaviour, Exchange, FaultServer, ok

Serve = Callable[..., tuple[FaultServer, Backend]]


def ask(text: str = "hello") -> Request:
    return Request((Message("user", text),))


def says(message: dict[str, Any], finish: str | None = "stop") -> Behaviour:
    answer = {"choices": [{"index": 0, "message": message, "finish_reason": finish}]}
    return sends(json.dumps(answer).encode(), kind="application/json")


def answered(backend: Backend, request: Request) -> Completion:
    [answer] = backend.complete([request])
    assert isinstance(answer, Completion), answer
    return answer


def failed(backend: Backend) -> Failure:
    [answer] = backend.complete([ask()])
    assert isinstance(answer, Failure), answer
    return answer


def raw(body: bytes, **headers: str) -> Behaviour:
    return sends(body, kind="application/json", headers={name.replace("_", "-"): v for name, v in headers.items()})


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_reasoning_is_kept_apart(serve: Serve, name: str) -> None:
    _, backend = serve(says({"content": "42", name: "six times seven"}))
    answer = answered(backend, ask())
    assert (answer.text, answer.reasoning) == ("42", "six times seven")


@pytest.mark.parametrize(
    ("content", "text", "reasoning"),
    [
        ("<think>\nhm\n</think>\n\n四十二", "四十二", "hm"),
        ("<think></think>x", "x", ""),
        ("<think>never done", "", "never done"),
        ("a <think>b</think>", "a <think>b</think>", ""),
        ("<thin", "<thin", ""),
        ("", "", ""),
    ],
)
def test_leading_think_tags_are_reasoning(serve: Serve, content: str, text: str, reasoning: str) -> None:
    _, backend = serve(says({"content": content}))
    answer = answered(backend, ask())
    assert (answer.text, answer.reasoning) == (text, reasoning)


@pytest.mark.parametrize(
    ("finish", "expected"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("max_tokens", "length"),
        ("eos", "stop"),
        (None, "stop"),
    ],
)
def test_finish_reasons(serve: Serve, finish: str | None, expected: str) -> None:
    _, backend = serve(says({"content": "x"}, finish))
    assert answered(backend, ask()).finish_reason == expected


def test_a_refusal_is_a_filtered_answer(serve: Serve) -> None:
    _, backend = serve(says({"content": None, "refusal": "I will not."}))
    answer = answered(backend, ask())
    assert (answer.text, answer.finish_reason) == ("I will not.", "content_filter")


def test_reasoning_that_ate_all_tokens_leaves_an_empty_text(serve: Serve) -> None:
    _, backend = serve(says({"content": None}, "length"))
    answer = answered(backend, ask())
    assert (answer.text, answer.finish_reason) == ("", "length")


LIES: dict[str, Behaviour] = {
    "html": html,
    "error object": raw(b'{"error": {"message": "out of memory"}}'),
    "error text": raw(b'{"error": "out of memory"}'),
    "no choices": raw(b'{"choices": []}'),
    "null choices": raw(b'{"choices": null}'),
    "null content": raw(b'{"choices": [{"message": {"content": null}, "finish_reason": "stop"}]}'),
    "a tool call": raw(b'{"choices": [{"message": {"tool_calls": [{}]}, "finish_reason": "tool_calls"}]}'),
    "number content": raw(b'{"choices": [{"message": {"content": 7}}]}'),
    "list": raw(b"[1, 2]"),
    "null": raw(b"null"),
    "text": raw(b'"hello"'),
    "choice is text": raw(b'{"choices": ["hello"]}'),
    "nothing": raw(b""),
    "truncated": raw(b'{"choices": [{"message": {"content": "hel'),
    "bytes": raw(bytes(range(256))),
    "nested": raw(b"[" * 200_000),
    "gzip rubbish": raw(b"no gzip at all", Content_Encoding="gzip"),
    "gzip cut short": raw(gzip.compress(b'{"choices": []}' * 99)[:20], Content_Encoding="gzip"),
    "no HTTP": lambda exchange: exchange.send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "endless headers": lambda exchange: exchange.send(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 50_000),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_server_gives_failures(serve: Serve, lie: str) -> None:
    _, backend = serve(LIES[lie], max_retries=1)
    answers = backend.complete([ask(), ask()])
    assert [type(answer) for answer in answers] == [Failure, Failure]


def test_a_wrong_shape_says_where(serve: Serve) -> None:
    _, backend = serve(LIES["number content"])
    assert "choices.0.message.content" in failed(backend).message


def test_the_error_of_a_gateway_counts_as_its_status(serve: Serve) -> None:
    server, backend = serve(raw(b'{"error": {"message": "upstream is busy", "code": 503}}'), ok)
    [answer] = backend.complete([ask()])
    assert isinstance(answer, Completion)
    assert len(server.requests) == 2


@pytest.mark.parametrize("packed", [False, True])
def test_an_endless_answer_is_bounded(serve: Serve, monkeypatch: pytest.MonkeyPatch, packed: bool) -> None:
    monkeypatch.setattr(client, "MAX_BODY", 100_000)

    def endless(exchange: Exchange) -> None:
        exchange.head("application/json", headers={"Content-Encoding": "gzip"} if packed else {})
        while True:
            exchange.send(gzip.compress(b" " * 1_000_000) if packed else b" " * 1000)

    _, backend = serve(endless)
    assert "more than 100000 bytes" in failed(backend).message
