from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from nlptasks.backends.base import Backend
from nlptasks.records import Completion, Delta, Failure, Message, Request, Usage
from nlptasks.testing.faults import cut, sends, status
from nlptasks.testing.servers import Behaviour, Exchange, FaultServer, ok

Serve = Callable[..., tuple[FaultServer, Backend]]

ASK = Request((Message("user", "Grüße, 世界! How are you?"),))


def event(text: str | None = None, finish: str | None = None, **delta: Any) -> bytes:
    chunk = {"choices": [{"index": 0, "delta": {"content": text, **delta}, "finish_reason": finish}]}
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode()


DONE = b"data: [DONE]\n\n"
HELLO = event("Grüß") + event(" dich 世界") + event(finish="stop") + DONE


def streamed(backend: Backend) -> tuple[list[Delta], Completion | Failure]:
    *deltas, last = backend.stream(ASK)
    assert all(isinstance(delta, Delta) for delta in deltas)
    assert isinstance(last, (Completion, Failure))
    return [delta for delta in deltas if isinstance(delta, Delta)], last


def completed(backend: Backend) -> Completion:
    deltas, last = streamed(backend)
    assert isinstance(last, Completion), last
    assert "".join(delta.text for delta in deltas) == last.text
    assert "".join(delta.reasoning for delta in deltas).strip() == last.reasoning
    return last


def test_a_stream_comes_in_pieces_and_ends_with_the_whole(serve: Serve) -> None:
    server, backend = serve()
    deltas, last = streamed(backend)
    assert len(deltas) > 3
    assert isinstance(last, Completion)
    assert last.text == "".join(delta.text for delta in deltas) == ASK.messages[0].content
    assert last.usage == Usage(5, 5)
    assert last.latency > 0
    assert server.requests[0].body["stream"] is True


def test_pieces_arrive_before_the_end(serve: Serve) -> None:
    def behave(exchange: Exchange) -> None:
        exchange.head("text/event-stream")
        exchange.send(event("first"))
        exchange.server.stopping.wait()

    _, backend = serve(behave, timeout=600)
    stream = backend.stream(ASK)
    assert next(stream) == Delta("first")


def test_nothing_is_sent_before_the_first_piece_is_wanted(serve: Serve) -> None:
    server, backend = serve()
    backend.stream(ASK)
    assert server.requests == []


STYLES = {
    "plain": sends(HELLO),
    "byte by byte": sends(*(HELLO[at : at + 1] for at in range(len(HELLO)))),
    "CRLF": sends(HELLO.replace(b"\n", b"\r\n")),
    "CRLF byte by byte": sends(*(bytes([byte]) for byte in HELLO.replace(b"\n", b"\r\n"))),
    "comments": sends(b": hello\n\n" + HELLO.replace(b"data:", b": ping\ndata:")),
    "other fields": sends(HELLO.replace(b"data:", b"id: 1\nevent: message\nretry: 5\ndata:")),
    "no space": sends(HELLO.replace(b"data: ", b"data:")),
    "byte order mark": sends(b"\xef\xbb\xbf" + HELLO),
    "several lines": sends(HELLO.replace(b', "delta"', b',\ndata:  "delta"')),
    "no DONE": sends(HELLO.removesuffix(DONE)),
    "no last blank line": sends(HELLO.removesuffix(b"\n\n")),
    "no finish reason": sends(HELLO.replace(b'"stop"', b"null")),
    "other choices": sends(HELLO.replace(DONE, event("!").replace(b'"index": 0', b'"index": 1') + DONE)),
    "charset": sends(HELLO, kind="Text/Event-Stream; charset=utf-8"),
    "text after DONE": sends(HELLO + event("more")),
}


@pytest.mark.parametrize("style", STYLES)
def test_every_style_of_stream_is_read(serve: Serve, style: str) -> None:
    _, backend = serve(STYLES[style])
    answer = completed(backend)
    assert answer.text == "Grüß dich 世界"
    assert answer.finish_reason == "stop"


def test_line_separators_in_a_text_end_no_line(serve: Serve) -> None:
    text = "one\u2028two\x85three\u2029"
    _, backend = serve(sends(event(text) + DONE))
    assert completed(backend).text == text


def test_a_whole_answer_instead_of_a_stream(serve: Serve) -> None:
    body = {"choices": [{"message": {"content": "<think>hm</think>all at once"}, "finish_reason": "length"}]}
    _, backend = serve(sends(json.dumps(body).encode(), kind="application/json"))
    answer = completed(backend)
    assert (answer.text, answer.reasoning, answer.finish_reason) == ("all at once", "hm", "length")


def test_a_stream_instead_of_a_whole_answer(serve: Serve) -> None:
    _, backend = serve(sends(HELLO))
    [answer] = backend.complete([ASK])
    assert isinstance(answer, Completion)
    assert answer.text == "Grüß dich 世界"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_reasoning_in_the_text_is_kept_apart(serve: Serve, size: int) -> None:
    whole = "\n<think>\nOne < two </thin.\n</think>\n\n二 > 一 </think>"
    pieces = [event(whole[at : at + size]) for at in range(0, len(whole), size)]
    _, backend = serve(sends(*pieces, DONE))
    answer = completed(backend)
    assert answer.text == "二 > 一 </think>"
    assert answer.reasoning == "One < two </thin."


def test_reasoning_of_its_own_is_kept_apart(serve: Serve) -> None:
    _, backend = serve(sends(event(reasoning_content="six times "), event(reasoning="seven"), event("42"), DONE))
    answer = completed(backend)
    assert (answer.text, answer.reasoning) == ("42", "six times seven")


@pytest.mark.parametrize("text", ["<", "<think", "  <th"])
def test_what_only_began_like_a_tag_is_text(serve: Serve, text: str) -> None:
    _, backend = serve(sends(event(text), event(finish="stop"), DONE))
    assert completed(backend).text == text


def test_an_empty_stream_of_one_role_is_an_empty_answer(serve: Serve) -> None:
    _, backend = serve(sends(event(role="assistant"), event(finish="stop")))
    assert completed(backend).text == ""


def test_usage_is_given_up_where_the_server_knows_no_stream_options(serve: Serve) -> None:
    def behave(exchange: Exchange) -> None:
        old = "stream_options" in exchange.received.body
        (status(400, "Unrecognized field: stream_options") if old else ok)(exchange)

    server, backend = serve(behave)
    assert completed(backend).usage == Usage()
    assert "ignored" not in completed(backend).data
    assert ["stream_options" in received.body for received in server.requests] == [True, False, False]


ERROR = b'data: {"error": {"message": "out of memory"}}\n\n'


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (sends(event("Grü"), ERROR), "out of memory"),
        (sends(ERROR), "out of memory"),
        (sends(b'data: {"error": "out of memory"}\n\n'), "out of memory"),
        (sends(DONE), "no text"),
        (sends(b'data: {"choices": [{"delta": {"content": 7}}]}\n\n'), "choices.0.delta.content"),
        (sends(b"<html>", kind="text/html"), "web page"),
    ],
)
def test_a_lying_stream_is_a_failure(serve: Serve, behaviour: Behaviour, words: str) -> None:
    server, backend = serve(behaviour)
    _, last = streamed(backend)
    assert isinstance(last, Failure)
    assert words in last.message
    assert len(server.requests) == 1


@pytest.mark.parametrize("cut_short", [cut, sends(event("Grü")), sends(event("Grü"), b"data: {")])
def test_a_stream_cut_after_text_is_not_asked_again(serve: Serve, cut_short: Behaviour) -> None:
    server, backend = serve(cut_short, ok)
    deltas, last = streamed(backend)
    assert deltas
    assert isinstance(last, Failure)
    assert "after a part of it was shown" in last.message
    assert last.retryable
    assert len(server.requests) == 1


@pytest.mark.parametrize("cut_short", [sends(), sends(event(role="assistant")), sends(b"data: {"), status(503)])
def test_a_stream_cut_before_text_is_asked_again(serve: Serve, cut_short: Behaviour) -> None:
    server, backend = serve(cut_short, ok)
    assert completed(backend).text == ASK.messages[0].content
    assert len(server.requests) == 2


def test_leaving_a_stream_drops_the_connection(serve: Serve) -> None:
    def talk(exchange: Exchange) -> None:
        exchange.head("text/event-stream")
        while not exchange.server.stopping.wait(0.02):
            exchange.send(event("bla "))

    server, backend = serve(talk, timeout=600)
    stream = backend.stream(ASK)
    assert next(stream) == Delta("bla ")
    stream.close()  # type: ignore[attr-defined]  # what a for loop's break does
    while server.running:  # a hanging test is ended by pytest-timeout
        time.sleep(0.01)
