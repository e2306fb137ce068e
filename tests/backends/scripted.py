"""Backends that misbehave on purpose."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from nlptasks import Backend, Completion, Delta, Failure, GenerationConfig, Limits, Message, Request
from nlptasks.backends.base import Answer, Session

Says = Callable[[Request], Answer]


def request(text: str, **config: Any) -> Request:
    return Request((Message("user", text),), fields={"text": text}, config=GenerationConfig(**config))


def text_of(asked: Request) -> str:
    return asked.messages[-1].content


def shout(asked: Request) -> Answer:
    """Fail what begins with "bad", else answer in upper case."""
    text = text_of(asked)
    return Failure("scripted", f"no answer to {text}") if text.startswith("bad") else Completion(text.upper())


@dataclass
class Recording(Backend):
    """Keeps every request that reaches it, in ``complete``, ``stream`` or a count of tokens."""

    says: Says = shout
    batch_size: int = 4
    received: list[Request] = field(default_factory=list)
    name: str = "recording"

    def complete(self, requests: Sequence[Request]) -> Sequence[Answer]:
        self.received.extend(requests)
        return [self.says(one) for one in requests]

    def stream(self, request: Request) -> Iterator[Delta | Answer]:
        self.received.append(request)
        answer = self.says(request)
        if isinstance(answer, Completion):
            yield from (Delta(letter) for letter in answer.text)
        yield answer

    def identity(self) -> dict[str, str]:
        return {"backend": self.name}

    def limits(self) -> Limits:
        return RecordingLimits(backend=self)


@dataclass(frozen=True)
class RecordingLimits(Limits):
    backend: Recording | None = None

    def count(self, request: Request) -> int:
        assert self.backend
        self.backend.received.append(request)
        return 1


class Reordering(Recording):
    """Answers in any order, with room for a few requests at a time."""

    def __init__(self, chance: random.Random, says: Says = shout, room: int = 3) -> None:
        super().__init__(says, batch_size=room)
        self.chance = chance
        self.closed = 0
        self.most_held = 0

    def open(self) -> Session[Any]:
        return _Reordering(self)


class _Reordering(Session[Any]):
    def __init__(self, backend: Reordering) -> None:
        self._backend = backend
        self._held: list[tuple[Any, Request]] = []

    @property
    def room(self) -> int:
        return self._backend.batch_size - len(self._held)

    def put(self, key: Any, request: Request) -> None:
        assert self.room > 0
        self._backend.received.append(request)
        self._held.append((key, request))
        self._backend.most_held = max(self._backend.most_held, len(self._held))

    def get(self) -> tuple[Any, Answer]:
        assert self._held, "get is called only while something is held"
        key, request = self._held.pop(self._backend.chance.randrange(len(self._held)))
        return key, self._backend.says(request)

    def close(self) -> None:
        self._backend.closed += 1
