"""What the wrappers share: a backend around a backend, with the same contract."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from typing_extensions import Self

from nlptasks.backends.base import Answer, Backend, K, Limits, Preview, Session, Show, complete_in_session
from nlptasks.records import Request

Hand = Callable[[K, Request], None]


class Wrapper(Backend):
    """Passes everything on to ``inner``; a subclass says in ``open`` and ``stream`` what it changes."""

    def __init__(self, inner: Backend) -> None:
        self.inner = inner
        self.batch_size = inner.batch_size
        self.tasks = inner.tasks
        self.capabilities = inner.capabilities

    @abstractmethod
    def open(self) -> Session[Any]:
        """Return a session around one of ``inner``."""

    def complete(self, requests: Sequence[Request]) -> Sequence[Answer]:
        return complete_in_session(self, requests)

    def identity(self) -> Mapping[str, str]:
        return self.inner.identity()

    def limits(self) -> Limits:
        return self.inner.limits()

    def preview(self, request: Request) -> Preview:
        return self.inner.preview(request)

    def refusal(self, task: str) -> str | None:
        return self.inner.refusal(task)

    def close(self) -> None:
        self.inner.close()

    def __enter__(self) -> Self:
        self.inner.__enter__()
        return self


class WrapperSession(Session[K]):
    """A session around ``inner`` that may have answers of its own in ``ready``."""

    READY_LIMIT = 64

    def __init__(self, inner: Session[K]) -> None:
        self.inner = inner
        self.ready: deque[tuple[K, Answer]] = deque()

    @property
    def room(self) -> int:
        return self.inner.room if len(self.ready) < self.READY_LIMIT else 0

    @abstractmethod
    def admit(self, key: K, request: Request, hand: Hand[K]) -> None:
        """Take a request, and ``hand`` it to ``inner`` unless it is answered here."""

    def put(self, key: K, request: Request) -> None:
        self.admit(key, request, self.inner.put)

    def stream(self, key: K, request: Request, show: Show) -> None:
        self.admit(key, request, partial(self.inner.stream, show=show))

    def get(self) -> tuple[K, Answer]:
        return self.ready.popleft() if self.ready else self.received(*self.inner.get())

    def poll(self, seconds: float) -> tuple[K, Answer] | None:
        if self.ready:
            return self.ready.popleft()
        found = self.inner.poll(seconds)
        return self.received(*found) if found else None

    def drop(self, key: K) -> bool:
        return self.inner.drop(key)

    def received(self, key: K, answer: Answer) -> tuple[K, Answer]:
        """Return what becomes of an answer of ``inner``."""
        return key, answer

    def close(self) -> None:
        self.ready.clear()
        self.inner.close()


def digest_of(request: Request) -> str | None:
    """Return what tells a request from others; None where it holds something that has no fixed form, as a function."""
    try:
        return request.digest()
    except TypeError:
        return None
