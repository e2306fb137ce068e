"""A backend that answers what a test tells it to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from nlptasks.backends.base import Answer, Backend, Capability, Limits, Session
from nlptasks.records import Completion, Delta, Request

Says = str | Answer
Script = Says | Sequence[Says] | Callable[[Request], Says]


class ScriptedBackend(Backend):
    """Answers with ``script``: one answer to all, a list of answers used in turn, or a function of the request.

    A str stands for the Completion of that text. A list starts again at its end. ``received`` holds every request
    in the order of asking; ``context`` bounds what it reads, in tokens of four bytes.
    """

    batch_size = 4
    capabilities = frozenset(Capability)

    def __init__(self, script: Script, *, context: int | None = None) -> None:
        self.script = script
        self.context = context
        self.received: list[Request] = []

    def complete(self, requests: Sequence[Request]) -> list[Answer]:
        return [self._answer(request) for request in requests]

    def stream(self, request: Request) -> Iterator[Delta | Answer]:
        answer = self._answer(request)
        if isinstance(answer, Completion):
            if answer.reasoning:
                yield Delta(reasoning=answer.reasoning)
            yield from (Delta(piece) for piece in re.findall(r"\s*\S+|\s+$", answer.text))
        yield answer

    def limits(self) -> Limits:
        return Limits(self.context)

    def _answer(self, request: Request) -> Answer:
        says = self.script
        if callable(says):
            says = says(request)
        elif isinstance(says, Sequence) and not isinstance(says, str):
            says = says[len(self.received) % len(says)]
        self.received.append(request)
        return Completion(says) if isinstance(says, str) else says


class BackwardsBackend(ScriptedBackend):
    """Answers the last request first, as a server with many workers may."""

    def open(self) -> Session[Any]:
        return _Backwards(self)


class _Backwards(Session[Any]):
    def __init__(self, backend: ScriptedBackend) -> None:
        self._backend = backend
        self._held: list[tuple[Any, Request]] = []

    @property
    def room(self) -> int:
        return self._backend.batch_size - len(self._held)

    def put(self, key: Any, request: Request) -> None:
        self._held.append((key, request))

    def get(self) -> tuple[Any, Answer]:
        key, request = self._held.pop()
        [answer] = self._backend.complete([request])
        return key, answer
