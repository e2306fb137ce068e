"""Requests to a model that writes: those of like length are answered together, the longest first."""

from __future__ import annotations

from collections import deque
from itertools import count
from typing import TYPE_CHECKING

from nlptasks.backends.base import Answer, K, Session
from nlptasks.backends.hf.backend import check_text
from nlptasks.backends.hf.batching import Prompt, batches
from nlptasks.errors import SampleError
from nlptasks.records import Request

if TYPE_CHECKING:
    from nlptasks.backends.hf.generation import GeneratingBackend

AHEAD = 256
"""Requests that are held at once: enough to put those of like length together."""


class GeneratingSession(Session[K]):
    """One batch of what is held at a time, so that the next one may be chosen from what came in since."""

    def __init__(self, backend: GeneratingBackend) -> None:
        self._backend = backend
        self._held: dict[int, tuple[K, Prompt]] = {}
        self._ready: deque[tuple[K, Answer]] = deque()
        self._numbers = count()

    @property
    def room(self) -> int:
        return max(0, AHEAD - len(self._held) - len(self._ready))

    def put(self, key: K, request: Request) -> None:
        try:
            check_text(request)
            self.hold(key, self._backend.prompt(next(self._numbers), request))
        except SampleError as error:
            self._ready.append((key, error.failure))

    def get(self) -> tuple[K, Answer]:
        while not self._ready:
            self.work()
        return self._ready.popleft()

    def close(self) -> None:
        self._held.clear()
        self._ready.clear()

    def hold(self, key: K, prompt: Prompt) -> None:
        """Keep a prompt until it is answered."""
        self._held[prompt.position] = (key, prompt)

    def work(self) -> None:
        """Answer some of the prompts that are held."""
        held = [prompt for _, prompt in self._held.values()]
        batch = next(batches(held, self._backend.batch_tokens))
        for prompt, answer in zip(batch, self._backend.answer(batch), strict=True):
            self._ready.append((self._held.pop(prompt.position)[0], answer))
