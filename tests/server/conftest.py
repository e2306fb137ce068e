"""A real server in a thread, on any backend."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from nlptasks.backends.base import Backend
from nlptasks.backends.factory import wrapped
from nlptasks.server.app import create_app
from nlptasks.server.desk import Desk
from nlptasks.server.listen import Address
from nlptasks.server.service import Bounds, Service
from tests.backends.hf.conftest import hf  # noqa: F401  (a fixture)


@dataclass
class Served:
    """A server under test."""

    service: Service
    url: str
    http: httpx.Client
    app: FastAPI

    def post(self, path: str, body: Any, **more: Any) -> httpx.Response:
        return self.http.post(path, json=body, **more)

    def run(self, task: str, input_: Any, **more: Any) -> list[dict[str, Any]]:
        """Return the results of a task."""
        answer = self.post(f"/v1/tasks/{task}", {"input": input_, **more})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["results"]
        return found

    def idle(self) -> bool:
        """Wait for a while until nothing is under way."""
        end = time.monotonic() + 20
        while self.service.desk.under_way and time.monotonic() < end:
            time.sleep(0.01)
        return not self.service.desk.under_way


Serve = Callable[..., Served]


@contextmanager
def serving(backend: Backend, **more: Any) -> Iterator[Served]:
    """Serve until left; ``more`` are bounds, and the token."""
    token = more.pop("token", "")
    bounds = Bounds(**more)
    with Desk(wrapped(backend), bounds.capacity) as desk, Address("127.0.0.1", 0).bind() as listening:
        service = Service("the/model", desk, bounds, token)
        app = create_app(service, Address("127.0.0.1", 0).hosts)
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=5))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        try:
            with httpx.Client(base_url=url, timeout=60) as http:
                yield Served(service, url, http, app)
        finally:
            server.should_exit = True
            thread.join(30)
        assert not thread.is_alive()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that serves a backend until the test ends."""
    open_: list[Any] = []

    def start(backend: Backend, **more: Any) -> Served:
        context = serving(backend, **more)
        served = context.__enter__()
        open_.append(context)
        return served

    yield start
    for context in open_:
        context.__exit__(None, None, None)


def leave(served: Served, path: str, body: bytes, seconds: float) -> None:
    """Post a body, and hang up after a while without having read an answer."""
    host, port = served.url.removeprefix("http://").split(":")
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as client:
        client.sendall(head.encode() + body)
        time.sleep(seconds)
