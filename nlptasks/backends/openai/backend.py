"""The backend and its session: a synchronous face for the asynchronous client."""

from __future__ import annotations

import atexit
import os
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

import httpx

from nlptasks.backends.base import Answer, Backend, Capability, K, Session, Show
from nlptasks.backends.openai import Options
from nlptasks.backends.openai.circuit import Circuit
from nlptasks.backends.openai.client import Client, shown
from nlptasks.backends.openai.fleet import Fleet
from nlptasks.backends.openai.loop import Loop
from nlptasks.errors import ConfigError, ModelError
from nlptasks.records import Delta, Request

T = TypeVar("T")


class OpenAIBackend(Backend):
    """Asks a server over HTTP. One event loop, in a thread of its own, and one connection pool serve everything.

    Log-likelihoods are not offered: scoring a text needs the prompt as the model sees it, and only the server
    knows its chat template.
    """

    capabilities = frozenset({Capability.CHAT, Capability.VISION, Capability.SCHEMA})

    def __init__(self, model: str, options: Options) -> None:
        if not model:
            raise ModelError("A server offers many models: name one, as in openai/gpt-4o-mini.")
        self.batch_size = options.concurrency
        self._model = model
        self._options = options
        self._urls = [_url(text) for text in dict.fromkeys(options.base_url)]
        self._key = _key(options.api_key_env)
        self._lock = threading.Lock()
        self._loop: Loop | None = None
        self._fleet: Fleet
        self._running: set[Future[Answer]] = set()

    def complete(self, requests: Sequence[Request]) -> Sequence[Answer]:
        with self.open() as session:
            for number, request in enumerate(requests):
                session.put(number, request)
            answers = dict(session.get() for _ in requests)
        return [answers[number] for number in range(len(requests))]

    def stream(self, request: Request) -> Iterator[Delta | Answer]:
        arrived: queue.SimpleQueue[Delta | Future[Answer]] = queue.SimpleQueue()
        future = self.start(request, Circuit(), arrived.put)
        future.add_done_callback(arrived.put)
        try:
            while isinstance(item := _take(arrived), Delta):
                yield item
            yield item.result()
        finally:
            future.cancel()

    def open(self) -> OpenAISession[Any]:
        return OpenAISession(self, self._options.concurrency)

    def identity(self) -> Mapping[str, str]:
        return {"backend": "openai", "base_url": ", ".join(sorted(map(shown, self._urls))), "model": self._model}

    def start(self, request: Request, circuit: Circuit, show: Show | None = None) -> Future[Answer]:
        """Send one request on its way; ``show`` makes it a stream. Cancelling the future drops the connection."""
        with self._lock:
            loop = self._loop or self._connect()
            future = loop.start(self._fleet.answer(request, circuit, show))
            self._running.add(future)
        future.add_done_callback(self._running.discard)
        return future

    def _connect(self) -> Loop:
        try:
            clients = [Client(url, self._model, self._key, self._options) for url in self._urls]
            self._fleet = Fleet(clients, self._options.max_retries)
        except (ImportError, ValueError, OSError) as error:
            message = f"The proxy or the certificates set in the environment cannot be used: {error}"
            raise ConfigError(message) from None
        self._loop = Loop()
        atexit.register(self.close)  # a script may leave its backend open, and aiohttp complains of that
        return self._loop

    def close(self) -> None:
        with self._lock:
            if self._loop is None:
                return
            for future in list(self._running):
                future.cancel()
            self._loop.start(self._fleet.aclose()).result()
            self._loop.close()
            self._loop = None
            atexit.unregister(self.close)


class OpenAISession(Session[K]):
    """Keeps the server busy: takes twice as many requests as it works on at once."""

    def __init__(self, backend: OpenAIBackend, concurrency: int) -> None:
        self._backend = backend
        self._most = 2 * concurrency
        self._circuit = Circuit()
        self._held: dict[K, Future[Answer]] = {}
        self._done: queue.SimpleQueue[tuple[K, Future[Answer]]] = queue.SimpleQueue()

    @property
    def room(self) -> int:
        return max(0, self._most - len(self._held))

    def put(self, key: K, request: Request) -> None:
        self._start(key, request, None)

    def stream(self, key: K, request: Request, show: Show) -> None:
        self._start(key, request, show)

    def _start(self, key: K, request: Request, show: Show | None) -> None:
        future = self._held[key] = self._backend.start(request, self._circuit, show)
        future.add_done_callback(lambda done: self._done.put((key, done)))

    def get(self) -> tuple[K, Answer]:
        while True:
            if found := self._received(_take(self._done)):
                return found

    def poll(self, seconds: float) -> tuple[K, Answer] | None:
        with suppress(queue.Empty):
            return self._received(self._done.get(timeout=seconds))
        return None

    def _received(self, item: tuple[K, Future[Answer]]) -> tuple[K, Answer] | None:
        key, future = item
        if self._held.get(key) is not future:  # dropped
            return None
        del self._held[key]
        return key, future.result()

    def drop(self, key: K) -> bool:
        future = self._held.pop(key, None)
        return future is not None and (future.cancel() or True)

    def close(self) -> None:
        for future in self._held.values():
            future.cancel()
        self._held.clear()


def _take(arrived: queue.SimpleQueue[T]) -> T:
    # Windows lets no Ctrl-C through to a wait without an end.
    while True:
        with suppress(queue.Empty):
            return arrived.get(timeout=0.5)


def _url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text.strip())
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigError("The base URL is no address of a server: give one like http://localhost:8000/v1.")
    return url


def _key(variable: str) -> str:
    key = os.environ.get(variable, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise ConfigError(f"The environment variable {variable} holds no API key: it has characters no key has.")
    return key
