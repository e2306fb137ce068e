"""The backend that the engine sees."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from typing_extensions import Self

from nlptasks.backends.base import Answer, Backend, K, Session
from nlptasks.backends.factory import BackendFactory
from nlptasks.backends.ray.cluster import Cluster
from nlptasks.backends.ray.crew import PULSE, Asked, Crew
from nlptasks.backends.wrapper import Wrapper
from nlptasks.records import Delta, Request


class Spread(Wrapper):
    """Answers by workers on a cluster, each with a backend of ``factory``; ``inner`` is one that loads no weights here.

    What a worker held when it was lost is answered by another: each request gets one answer. The identity is that of
    the workers' backends, so that a run may be begun on one machine and finished on a cluster of the same kind.
    """

    def __init__(self, inner: Backend, factory: BackendFactory, cluster: Cluster) -> None:
        super().__init__(inner)
        self._factory, self._cluster = factory, cluster

    @cached_property
    def _crew(self) -> Crew:
        return Crew(self._factory, self._cluster)

    def open(self) -> Session[Any]:
        self._crew.stand()
        return _SpreadSession(self._crew)

    def stream(self, request: Request) -> Iterator[Delta | Answer]:
        return Backend.stream(self, request)

    def identity(self) -> Mapping[str, str]:
        return self._crew.identity

    def close(self) -> None:
        if crew := self.__dict__.pop("_crew", None):
            crew.close()
        super().close()

    def __enter__(self) -> Self:
        return self  # weights are loaded by the workers


class _SpreadSession(Session[K]):
    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._done: deque[tuple[K, Answer]] = deque()

    @property
    def room(self) -> int:
        return self._crew.room

    def put(self, key: K, request: Request) -> None:
        self._crew.ask(Asked(key, request, self._done))

    def get(self) -> tuple[K, Answer]:
        while not self._done:
            self._crew.work(PULSE)
        return self._done.popleft()

    def poll(self, seconds: float) -> tuple[K, Answer] | None:
        end = time.monotonic() + seconds
        while not self._done:
            self._crew.work(max(0.0, min(PULSE, end - time.monotonic())))
            if time.monotonic() >= end:
                break
        return self._done.popleft() if self._done else None

    def close(self) -> None:
        self._crew.forget(self._done)
        self._done.clear()
