"""Live samples whose requests share the batches of one session."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from nlptasks.backends.base import Session
from nlptasks.engine.live import Live
from nlptasks.errors import BackendError
from nlptasks.records import Record, Request, Sample

LEAST_WINDOW = 32
Key = tuple[int, int]
END: Any = object()


class Pool:
    """The live samples of one session and their waiting requests.

    ``start`` makes an item live. With ``patience``, in seconds, items are asked for so often while answers are waited
    for; without it they are asked for when an answer has come.
    """

    def __init__(self, session: Session[Key], start: Callable[[Any], Live], patience: float | None = None) -> None:
        self._session, self._start, self._patience = session, start, patience
        self._window = max(LEAST_WINDOW, 2 * session.room)
        self._live: dict[int, Live] = {}
        self._waiting: deque[tuple[Key, Request]] = deque()
        self._held = 0
        self._numbers = itertools.count()

    @property
    def live(self) -> bool:
        """Whether there is work."""
        return bool(self._live)

    def drop(self, sample: Sample) -> None:
        """Give up a sample that is live: it gets no record."""
        number = next((number for number, live in self._live.items() if live.sample is sample), None)
        if number is None:
            return
        live = self._live.pop(number)
        live.close()
        for position in range(len(live.requests)):
            self._held -= position not in live.answers and self._session.drop((number, position))

    def run(self, items: Iterator[Any]) -> Iterator[Record]:
        """Work on the items; None among them says that there is nothing new for now, a Record passes through."""
        exhausted = False
        try:
            while not exhausted or self._live:
                while not exhausted and len(self._live) < self._window:
                    item = next(items, END)
                    exhausted = item is END
                    if exhausted or item is None:
                        break
                    if record := self._admit(item):
                        yield record
                if record := self._turn():
                    yield record
        finally:
            for live in self._live.values():
                live.close()

    def _admit(self, item: Any) -> Record | None:
        if isinstance(item, Record):
            return item
        live, number = self._start(item), next(self._numbers)
        self._live[number] = live
        return self._advance(number, live)

    def _turn(self) -> Record | None:
        """Hand over what the session has room for, then take one answer."""
        while self._waiting and self._session.room > 0:
            key, request = self._waiting.popleft()
            live = self._live.get(key[0])
            if live is None:
                continue
            if live.show:
                self._session.stream(key, request, live.show)
            else:
                self._session.put(key, request)
            self._held += 1
        if self._waiting and not self._held:
            raise BackendError("The backend holds nothing and yet has no room: its batch_size must be at least 1.")
        if not self._held:
            return None
        found = self._session.get() if self._patience is None else self._session.poll(self._patience)
        if found is None:
            return None
        (number, position), answer = found
        self._held -= 1
        live = self._live.get(number)
        if live is None:  # its sample failed by another request
            return None
        if failure := live.receive(position, answer):
            return self._end(number, failure)
        return self._advance(number, live) if live.answered else None

    def _advance(self, number: int, live: Live) -> Record | None:
        result = live.advance()
        if result is not None:
            return self._end(number, result)
        asked = [((number, position), request) for position, request in enumerate(live.requests)]
        if live.begun:  # what was begun is finished first
            self._waiting.extendleft(reversed(asked))
        else:
            self._waiting.extend(asked)
        return None

    def _end(self, number: int, result: Any) -> Record:
        return self._live.pop(number).record(result)
