"""Requests to a model that writes: those of like length are answered together, the longest first."""

from __future__ import annotations

import time
from collections import deque
from itertools import count
from typing import TYPE_CHECKING

from nlptasks.backends.base import Answer, K, Session, Show
from nlptasks.backends.hf.backend import check_text
from nlptasks.backends.hf.batching import Prompt, batches
from nlptasks.backends.hf.streaming import Hooks, Pieces, Streamer
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
        self._held: dict[int, tuple[K, Prompt, Pieces | None]] = {}
        self._ready: deque[tuple[K, Answer]] = deque()
        self._numbers = count()

    @property
    def room(self) -> int:
        return max(0, AHEAD - len(self._held) - len(self._ready))

    def put(self, key: K, request: Request) -> None:
        self._take(key, request, None)

    def stream(self, key: K, request: Request, show: Show) -> None:
        self._take(key, request, show)

    def _take(self, key: K, request: Request, show: Show | None) -> None:
        try:
            check_text(request)
            prompt = self._backend.prompt(next(self._numbers), request)
        except SampleError as error:
            self._ready.append((key, error.failure))
        else:
            self.hold(key, prompt, None if show is None else Pieces(prompt.reading, self._backend.decode, show))

    def get(self) -> tuple[K, Answer]:
        while not self._ready:
            self.work()
        return self._ready.popleft()

    def poll(self, seconds: float) -> tuple[K, Answer] | None:
        end = time.monotonic() + seconds
        while not self._ready:
            self.work()
            if time.monotonic() >= end:
                break
        return self._ready.popleft() if self._ready else None

    def drop(self, key: K) -> bool:
        found = next((position for position, held in self._held.items() if held[0] == key), None)
        if found is not None:
            del self._held[found]
        return found is not None

    def close(self) -> None:
        self._held.clear()
        self._ready.clear()

    def hold(self, key: K, prompt: Prompt, pieces: Pieces | None) -> None:
        """Keep a prompt until it is answered."""
        self._held[prompt.position] = (key, prompt, pieces)

    def work(self) -> None:
        """Answer some of the prompts that are held; one of which pieces are wanted by itself, if it writes them."""
        held = [prompt for _, prompt, _ in self._held.values()]
        batch = next(batches(held, self._backend.batch_tokens))
        hooks = None
        for prompt in batch:
            pieces = self._held[prompt.position][2]
            if pieces and not prompt.target and prompt.plan.rows == 1:
                batch, hooks = [prompt], Hooks(Streamer(pieces.push))
                break
        for prompt, answer in zip(batch, self._backend.answer(batch, hooks), strict=True):
            self._ready.append((self._held.pop(prompt.position)[0], answer))
