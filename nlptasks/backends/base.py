"""The backend contract: a queue with a model behind it."""

from __future__ import annotations

import enum
import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Any, Generic, TypeVar

from typing_extensions import Self

from nlptasks.errors import NLPTasksError, raised_by
from nlptasks.records import Completion, Delta, Failure, Request

K = TypeVar("K", bound=Hashable)
Answer = Completion | Failure
Show = Callable[[Delta], None]
"""Gets the pieces of an answer as they come, in whatever thread they come in."""


class Capability(str, enum.Enum):
    """What a backend can do beyond answering text with text."""

    CHAT = "chat"
    VISION = "vision"
    SCHEMA = "schema"
    LOGLIKELIHOOD = "loglikelihood"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a backend can read: ``context`` in tokens (prompt and answer), None when unbounded."""

    context: int | None = None

    def count(self, request: Request) -> int:
        """Return how many tokens ``request`` takes; about four bytes each unless a backend knows better."""
        texts = [message.content for message in request.messages]
        return sum(len(text.encode("utf-8", "replace")) for text in texts) // 4 + 1

    def fits(self, request: Request) -> bool:
        """Return whether ``request`` can be read with room left for its answer.

        The room is ``max_new_tokens``; where that is the backend's choice, a quarter of the context, at most 256.
        """
        if self.context is None:
            return True
        return self.count(request) + (request.config.max_new_tokens or min(256, self.context // 4)) <= self.context


@dataclass(frozen=True, slots=True)
class Preview:
    """A request as it is sent; ``text`` and ``token_ids`` as the model reads it, None where only a server knows."""

    request: Request
    text: str | None = None
    token_ids: Sequence[int] | None = None


class Session(ABC, Generic[K]):
    """Requests in, answers out in completion order.

    ``put`` while there is ``room`` and work, else ``get``; ``get`` is called only while something is
    held. An answer carries the key of its request.
    """

    @property
    @abstractmethod
    def room(self) -> int:
        """How many more requests may be put now."""

    @abstractmethod
    def put(self, key: K, request: Request) -> None:
        """Hand over one request."""

    @abstractmethod
    def get(self) -> tuple[K, Answer]:
        """Wait for the next answer."""

    def stream(self, key: K, request: Request, show: Show) -> None:
        """Hand over one request as ``put`` does; ``show`` gets pieces of its answer where they come before it."""
        self.put(key, request)

    def poll(self, seconds: float) -> tuple[K, Answer] | None:
        """Work for about ``seconds`` and return an answer as ``get`` does, or None where none is ready by then.

        By default it waits for one: what could be put meanwhile has to wait, too.
        """
        return self.get()

    def drop(self, key: K) -> bool:
        """Give up a request that is held; return whether its answer will not come. By default it comes all the same."""
        return False

    def close(self) -> None:
        """Drop what is still held."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Backend(ABC):
    """What answers requests. An author must write ``complete``; all else has a default.

    A backend is a context manager: entering it may load a model, leaving it frees it. A request that
    cannot be answered becomes a Failure in its own place, never an exception for its neighbours.
    """

    batch_size: int = 1
    """How many requests ``complete`` likes to get at once."""

    tasks: frozenset[str] | None = None
    """The names of the only tasks this backend can do; None for any task."""

    capabilities: frozenset[Capability] = frozenset()

    @abstractmethod
    def complete(self, requests: Sequence[Request]) -> Sequence[Answer]:
        """Answer every request, in the same order and number."""

    def stream(self, request: Request) -> Iterator[Delta | Answer]:
        """Answer one request piece by piece; the last item, and only that, is no Delta."""
        [answer] = self.complete([request])
        if isinstance(answer, Completion):
            yield Delta(answer.text, answer.reasoning)
        yield answer

    def open(self) -> Session[Any]:
        """Return a new session over this backend."""
        return BatchSession(self)

    def identity(self) -> Mapping[str, str]:
        """Return what an answer depends on: model, revision, dtype, template hash, library versions."""
        return {"backend": type(self).__qualname__}

    def limits(self) -> Limits:
        """Return how much this backend can read."""
        return Limits()

    def preview(self, request: Request) -> Preview:
        """Return how ``request`` would be read, without answering it. Loads no weights."""
        return Preview(request)

    def refusal(self, task: str) -> str | None:
        """Return in one line why this backend cannot do ``task``, or None if it can. Loads no weights."""
        if self.tasks is None or task in self.tasks:
            return None
        able = ", ".join(sorted(self.tasks))
        return f"This backend does {able} only, not {task}: choose another with --model."

    @classmethod
    def about(cls) -> Mapping[str, str]:
        """Return what ``nlptasks backends show`` tells beside the options: parts, sizes, licences. Loads no weights."""
        return {}

    def close(self) -> None:  # noqa: B027  (nothing to free is the common case)
        """Free what the backend holds."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class BatchSession(Session[K]):
    """The default session: gathers up to ``batch_size`` requests, then completes them together."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._waiting: list[tuple[K, Request]] = []
        self._done: deque[tuple[K, Answer]] = deque()

    @property
    def room(self) -> int:
        return max(0, self._backend.batch_size - len(self._waiting)) if not self._done else 0

    def put(self, key: K, request: Request) -> None:
        self._waiting.append((key, request))

    def get(self) -> tuple[K, Answer]:
        if not self._done:
            keys, requests = zip(*self._waiting, strict=True)
            self._waiting.clear()
            answers = complete_safely(self._backend, requests)
            self._done.extend(zip(keys, answers, strict=True))
        return self._done.popleft()

    def close(self) -> None:
        self._waiting.clear()
        self._done.clear()


def name_of(backend: Backend) -> str:
    """Return the name of the class that answers, which may be wrapped in others."""
    while isinstance(inner := getattr(backend, "inner", None), Backend):
        backend = inner
    return type(backend).__name__


def complete_safely(backend: Backend, requests: Sequence[Request]) -> Sequence[Answer]:
    """Complete requests one by one where a careless backend raises or miscounts for the batch."""
    try:
        answers = list(backend.complete(requests))
    except NLPTasksError:
        raise
    except (Exception, SystemExit) as error:  # a third party's code may raise anything
        problem = raised_by(name_of(backend), error)
    else:
        if len(answers) == len(requests):
            return [checked(backend, answer) for answer in answers]
        problem = f"{name_of(backend)} gave {len(answers)} answers to {len(requests)} requests"
    if len(requests) > 1:
        return [complete_safely(backend, [request])[0] for request in requests]
    return [Failure("backend", problem)]


def complete_in_session(backend: Backend, requests: Sequence[Request]) -> Sequence[Answer]:
    """Complete requests by a session, for a backend that does its work there."""
    answers: dict[int, Answer] = {}
    waiting = deque(enumerate(requests))
    with backend.open() as session:
        while len(answers) < len(requests):
            while waiting and session.room > 0:
                session.put(*waiting.popleft())
            key, answer = session.get()
            answers[key] = answer
    return [answers[position] for position in range(len(requests))]


def checked(backend: Backend, answer: object) -> Answer:
    """Return what a backend gave, or a Failure where that is no answer."""
    if isinstance(answer, Answer):
        return answer
    return Failure("backend", f"{type(backend).__name__} gave a {type(answer).__name__}, which is no Completion")


@cache
def warn_once(message: str) -> None:
    """Log a warning, once per process however many requests would cause it."""
    logging.getLogger("nlptasks").warning(message)
