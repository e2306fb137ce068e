"""A server that speaks OpenAI's protocol on loopback, well or badly, as a test needs it.

    with FaultServer(status(500), ok) as server:          # fails once, then answers
        backend = load("tiny", Options(base_url=server.base_url))
        ...
        assert len(server.requests) == 2                  # all that left the client

The requests to ``/v1/chat/completions`` meet the behaviours of the script in turn, and the last one ever
after. A behaviour is a function of one ``Exchange``: ``ok`` is here, the bad ones are in ``faults``, and a
test may bring its own.
"""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

from typing_extensions import Self


@dataclass(frozen=True)
class Received:
    """One request as it came in; ``body`` is its JSON, None without one. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any = None


@dataclass
class Exchange:
    """One request to chat completions and the means to answer it; ``server`` knows what came before."""

    server: FaultServer
    received: Received
    handler: BaseHTTPRequestHandler

    @property
    def text(self) -> str:
        """The echo: the last message's text."""
        content = self.received.body["messages"][-1]["content"]
        parts = content if isinstance(content, list) else [{"text": content}]
        return "".join(part.get("text", "") for part in parts)

    @property
    def streams(self) -> bool:
        """Whether the client asks for a stream."""
        return bool(self.received.body.get("stream"))

    def reply(
        self, body: bytes, kind: str = "application/json", code: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        """Send a whole answer."""
        self.head(kind, code, {"Content-Length": str(len(body)), **(headers or {})})
        self.handler.wfile.write(body)

    def head(self, kind: str, code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Send status and headers; without a Content-Length the end of the connection ends the answer."""
        headers = dict(headers or {})
        if "Content-Length" not in headers:
            headers["Connection"] = "close"
        self.handler.send_response(code)
        for name, value in {"Content-Type": kind, **headers}.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()

    def send(self, piece: bytes) -> None:
        """Send a piece of an answer at once."""
        self.handler.wfile.write(piece)
        self.handler.wfile.flush()


Behaviour = Callable[[Exchange], None]


def ok(exchange: Exchange) -> None:
    """Echo the last message, whole or as a stream."""
    if exchange.streams:
        exchange.head("text/event-stream")
        for event in events(exchange):
            exchange.send(event)
    else:
        message = {"role": "assistant", "content": exchange.text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        exchange.reply(_json(_envelope(exchange, "chat.completion", [choice]) | {"usage": _usage(exchange)}))


def events(exchange: Exchange) -> list[bytes]:
    """Return the echo as a stream: the role, the text in pieces of five characters, the end, the usage."""
    text = exchange.text
    deltas: list[dict[str, Any]] = [{"delta": {"role": "assistant"}}]
    deltas += [{"delta": {"content": text[at : at + 5]}} for at in range(0, len(text), 5)]
    deltas.append({"delta": {}, "finish_reason": "stop"})
    chunks = [_envelope(exchange, "chat.completion.chunk", [{"index": 0, **delta}]) for delta in deltas]
    if (exchange.received.body.get("stream_options") or {}).get("include_usage"):
        chunks.append(_envelope(exchange, "chat.completion.chunk", []) | {"usage": _usage(exchange)})
    return [b"data: " + _json(chunk) + b"\n\n" for chunk in chunks] + [b"data: [DONE]\n\n"]


class FaultServer:
    """A server on loopback for as long as the ``with`` block lasts.

    ``requests`` holds what it received, ``peak`` how many requests to chat completions it had at once.
    """

    def __init__(self, *script: Behaviour, models: Sequence[str] = ("tiny",)) -> None:
        self.script = script or (ok,)
        self.models = models
        self.requests: list[Received] = []
        self.running = self.peak = 0
        self.stopping = threading.Event()
        self._asked = 0
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"fault_server": self}))
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request, as the script says."""
        size = int(handler.headers.get("Content-Length") or 0)
        body = json.loads(handler.rfile.read(size)) if size else None
        headers = {name.lower(): value for name, value in handler.headers.items()}
        exchange = Exchange(self, Received(handler.command, handler.path, headers, body), handler)
        path = handler.path.partition("?")[0]
        with self._lock:
            self.requests.append(exchange.received)
        if path == "/v1/models":
            listed = [{"id": name, "object": "model"} for name in self.models]
            exchange.reply(_json({"object": "list", "data": listed}))
        elif path == "/v1/chat/completions" and body:
            self._behave(exchange)
        else:
            exchange.reply(_json({"error": {"message": "Not Found"}}), code=404)

    def _behave(self, exchange: Exchange) -> None:
        with self._lock:
            behaviour = self.script[min(self._asked, len(self.script) - 1)]
            self._asked += 1
            self.running += 1
            self.peak = max(self.peak, self.running)
        try:
            behaviour(exchange)
        finally:
            with self._lock:
                self.running -= 1


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    fault_server: FaultServer

    def handle(self) -> None:
        with suppress(ConnectionError):  # the client has gone
            super().handle()

    def _answer(self) -> None:
        self.fault_server.answer(self)

    do_GET = do_POST = _answer  # noqa: N815 -- http.server's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- http.server's name
        """Say nothing: a test's output is the test's."""


def _envelope(exchange: Exchange, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": "fault", "object": kind, "created": 0, "model": exchange.received.body["model"], "choices": choices}


def _usage(exchange: Exchange) -> dict[str, int]:
    """Words for tokens: one prompt word is one token, and so is one of the answer."""
    words = len(exchange.text.split())
    return {"prompt_tokens": words, "completion_tokens": words, "total_tokens": 2 * words}


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
