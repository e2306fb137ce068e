"""The samples of all clients in one pool: their requests share the batches of one session."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from typing_extensions import Self

from nlptasks.backends.base import Backend, Show, name_of
from nlptasks.engine import Engine
from nlptasks.engine.live import Live
from nlptasks.engine.pool import Pool
from nlptasks.errors import NLPTasksError, raised_by
from nlptasks.records import Failure, Record, Sample

PATIENCE = 0.02
"""Seconds for which a new sample waits at most while the backend works on others, if that lets itself be asked."""


class FullError(Exception):
    """There is no room for so many samples now."""


@dataclass(eq=False)
class Call:
    """One sample that someone waits for: ``show`` gets pieces of its answer, ``done`` its record, in the desk's thread.

    A desk calls ``done`` once, unless the call is dropped before.
    """

    engine: Engine
    sample: Sample
    done: Callable[[Record], None]
    show: Show | None = None
    dropped: bool = field(default=False, init=False)


class Desk:
    """Answers calls, all by one backend; at most ``capacity`` are under way.

    The backend is entered, asked and closed in one thread that does nothing else: OpenMP keeps threads for every thread
    that has computed with it, and with more of them than cores each waits in a way that slows all.
    """

    def __init__(self, backend: Backend, capacity: int) -> None:
        self.backend = backend
        self.capacity = capacity
        self._arrivals: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._calls: dict[int, Call] = {}
        self._lock = threading.Lock()
        self._begun = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="nlptasks-desk", daemon=True)

    def __enter__(self) -> Self:
        """Return once the backend is entered; raises what that raises."""
        self._thread.start()
        self._begun.wait()
        self._check()
        return self

    def __exit__(self, *_: object) -> None:
        """Answer what is under way, and close the backend; raises what that raises."""
        self._arrivals.put(None)
        self._thread.join()
        self._check()

    def _check(self) -> None:
        if self._error:
            raise self._error

    @property
    def under_way(self) -> int:
        """How many samples are not answered yet."""
        return len(self._calls)

    def submit(self, calls: Sequence[Call]) -> None:
        """Take calls, all or none.

        Raises:
            FullError: there is no room for them.
        """
        with self._lock:
            if len(self._calls) + len(calls) > self.capacity:
                raise FullError
            self._calls.update((id(call.sample), call) for call in calls)
        for call in calls:
            self._arrivals.put(call)

    def drop(self, call: Call) -> None:
        """Give up a call; nothing where it is done already."""
        with self._lock:
            if self._calls.pop(id(call.sample), None) is None:
                return
        call.dropped = True
        self._arrivals.put(call)

    def _work(self) -> None:
        try:
            with self.backend:
                self._begun.set()
                while (first := self._arrivals.get()) is not None:
                    self._answer(first)
        except BaseException as error:  # raised again where the desk is entered or left
            self._error = error
            self._begun.set()

    def _answer(self, first: Call) -> None:
        """Answer calls until the end, or until the backend fails: then all that are under way fail."""
        try:
            with self.backend.open() as session:
                pool = Pool(session, _start, PATIENCE)
                for record in pool.run(self._items(pool, first)):
                    self._finish(record)
        except NLPTasksError as error:
            self._fail(Failure("backend", " ".join(str(error).split())))
        except Exception as error:  # a third party's session may raise anything
            self._fail(Failure("backend", raised_by(name_of(self.backend), error)))

    def _items(self, pool: Pool, first: Call) -> Iterator[Call | None]:
        """Yield calls as they come, None while there is none but others are under way; return at the end."""
        call: Call | None = first
        while call is not None:
            if call.dropped:
                pool.drop(call.sample)
            elif id(call.sample) in self._calls:
                yield call
            while self._arrivals.empty() and pool.live:
                yield None
            call = self._arrivals.get()
        self._arrivals.put(None)

    def _finish(self, record: Record) -> None:
        with self._lock:
            call = self._calls.pop(id(record.sample), None)
        if call:
            call.done(record)

    def _fail(self, failure: Failure) -> None:
        with self._lock:
            calls = list(self._calls.values())
            self._calls.clear()
        for call in calls:
            call.done(Record(call.sample, failure))


def _start(call: Call) -> Live:
    return call.engine.start(call.sample, call.show, apart=True)
