"""What a bad server does: behaviours for the script of a ``FaultServer``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import responses
from typing import Any

from nlptasks.testing.servers import Behaviour, Exchange, events, ok


def status(code: int, message: str = "", /, *, retry_after: str = "", **error: Any) -> Behaviour:
    """Answer with an HTTP error; ``error`` adds members such as ``code`` and ``param``."""
    headers = {"Retry-After": retry_after} if retry_after else {}
    body = json.dumps({"error": {"message": message or responses.get(code, "error"), **error}}).encode()
    return lambda exchange: exchange.reply(body, code=code, headers=headers)


def sends(*pieces: bytes, kind: str = "text/event-stream", headers: Mapping[str, str] | None = None) -> Behaviour:
    """Answer with exactly these bytes, piece by piece, then close the connection."""

    def behave(exchange: Exchange) -> None:
        exchange.head(kind, headers=headers)
        for piece in pieces:
            exchange.send(piece)

    return behave


garbage = sends(b'{"choices": [{"mess', kind="application/json")
"""Break off in the middle of the JSON."""

html = sends(b"<!DOCTYPE html><title>Welcome</title>", kind="text/html")
"""Answer with a web page."""


def cut(exchange: Exchange) -> None:
    """Announce a whole answer (or a stream) and close the connection after the first half."""
    if exchange.streams:
        exchange.head("text/event-stream")
        whole = events(exchange)
        for event in whole[: len(whole) // 2]:
            exchange.send(event)
    else:
        exchange.reply(b'{"choices": ', headers={"Content-Length": "1000"})
    exchange.handler.close_connection = True


def mute(exchange: Exchange) -> None:
    """Close the connection without a word."""
    exchange.handler.close_connection = True


def hang(exchange: Exchange) -> None:
    """Never answer."""
    exchange.server.stopping.wait()


def drip(exchange: Exchange) -> None:
    """Send one byte now and then, without an end."""
    exchange.head("text/event-stream")
    while not exchange.server.stopping.wait(0.02):
        exchange.send(b":")


def at_most(limit: int, seconds: float = 0.05) -> Behaviour:
    """Take ``seconds`` to answer ``limit`` requests at once, and refuse more than these with 429."""

    def behave(exchange: Exchange) -> None:
        if exchange.server.running > limit:
            status(429, retry_after="0")(exchange)
        else:
            exchange.server.stopping.wait(seconds)
            ok(exchange)

    return behave
