"""The one scheduler: samples in, records out as they finish.

A bounded window of samples is alive at a time. Their requests are pooled, so that a backend's batch
crosses samples and steps, and memory does not grow with the number of samples.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from nlptasks.backends.base import Answer, Backend, Session
from nlptasks.errors import ConfigError, NLPTasksError, UnsupportedError
from nlptasks.records import Completion, Delta, Failure, Record, Request, Sample
from nlptasks.tasks import Steps, Task

LEAST_WINDOW = 32
Key = tuple[int, int]


@dataclass
class _Live:
    """A sample whose steps are under way; ``answers`` of the current step, None where still awaited."""

    sample: Sample
    steps: Steps[Any]
    started: float = field(default_factory=time.perf_counter)
    requests: Sequence[Request] = ()
    answers: list[Completion | None] = field(default_factory=list)
    missing: int = 0
    exchanges: list[tuple[Request, Answer]] = field(default_factory=list)

    def advance(self) -> Any:
        """Run the task up to its next requests; return None then, or its prediction or Failure."""
        try:
            self.requests = self.steps.send(self.answers) if self.answers else next(self.steps)  # type: ignore[arg-type]
        except StopIteration as stop:
            return stop.value
        except ConfigError:
            raise  # the same for every sample: better to stop at the first
        except (NLPTasksError, ValueError) as error:
            return Failure("sample", " ".join(str(error).split()))
        except Exception as error:  # a third party's task may raise anything
            return Failure("task", f"{type(error).__name__}: {' '.join(str(error).split())}")
        if not self.requests:
            return Failure("task", "the task asked for nothing")
        self.answers = [None] * len(self.requests)
        self.missing = len(self.requests)
        return None

    def receive(self, position: int, answer: Answer) -> Failure | None:
        """Take one answer; a Failure ends the sample."""
        self.exchanges.append((self.requests[position], answer))
        if isinstance(answer, Failure):
            self.steps.close()
            return answer
        self.answers[position] = answer
        self.missing -= 1
        return None

    def record(self, result: Any) -> Record:
        return Record(self.sample, result, tuple(self.exchanges), time.perf_counter() - self.started)


class Engine:
    """Runs one task with one set of options on one backend.

    Raises:
        UnsupportedError: on creation, if the backend cannot do the task. No weights are loaded then.
    """

    def __init__(self, task: Task[Any, Any, Any], options: Any, backend: Backend) -> None:
        if refusal := backend.refusal(task.name):
            raise UnsupportedError(refusal)
        self._task, self._options, self._backend = task, options, backend

    def run(self, items: Iterable[Sample | Record]) -> Iterator[Record]:
        """Yield a record for every sample, in completion order. A Record among the items passes through."""
        with self._backend.open() as session:
            yield from _Pool(self, session).run(iter(items))

    def stream(self, sample: Sample) -> Iterator[Delta | Record]:
        """Run one sample; the last item, and only that, is its Record.

        Deltas come from steps of one request, and only for a task that declares ``streaming``.
        """
        live = self.start(sample)
        result = live.advance()
        while result is None:
            for position, request in enumerate(live.requests):
                shown = self._task.streaming and len(live.requests) == 1
                answer = yield from self._ask(request, shown)
                if (result := live.receive(position, answer)) is not None:
                    break
            else:
                result = live.advance()
        yield live.record(result)

    def _ask(self, request: Request, shown: bool) -> Generator[Delta, None, Answer]:
        for item in self._backend.stream(request):
            if not isinstance(item, Delta):
                return item
            if shown:
                yield item
        return Failure("backend", f"{type(self._backend).__name__} ended a stream without an answer")

    def start(self, sample: Sample) -> _Live:
        return _Live(sample, self._task.steps(sample, self._options, self._backend.limits()))


class _Pool:
    """The live samples of one run and their waiting requests."""

    def __init__(self, engine: Engine, session: Session[Key]) -> None:
        self._engine, self._session = engine, session
        self._window = max(LEAST_WINDOW, 2 * session.room)
        self._live: dict[int, _Live] = {}
        self._waiting: deque[tuple[Key, Request]] = deque()
        self._held = 0
        self._numbers = itertools.count()

    def run(self, items: Iterator[Sample | Record]) -> Iterator[Record]:
        exhausted = False
        while not exhausted or self._live:
            while not exhausted and len(self._live) < self._window:
                item = next(items, None)
                if item is None:
                    exhausted = True
                elif record := self._admit(item):
                    yield record
            if record := self._turn():
                yield record

    def _admit(self, item: Sample | Record) -> Record | None:
        if isinstance(item, Record):
            return item
        live, number = self._engine.start(item), next(self._numbers)
        self._live[number] = live
        return self._advance(number, live)

    def _turn(self) -> Record | None:
        """Hand over what the session has room for, then take one answer."""
        while self._waiting and self._session.room > 0:
            key, request = self._waiting.popleft()
            if key[0] in self._live:
                self._session.put(key, request)
                self._held += 1
        if not self._held:
            return None
        (number, position), answer = self._session.get()
        self._held -= 1
        live = self._live.get(number)
        if live is None:  # its sample failed by another request
            return None
        if failure := live.receive(position, answer):
            return self._finish(number, failure)
        return self._advance(number, live) if live.missing == 0 else None

    def _advance(self, number: int, live: _Live) -> Record | None:
        first = not live.exchanges
        result = live.advance()
        if result is not None:
            return self._finish(number, result)
        asked = [((number, position), request) for position, request in enumerate(live.requests)]
        if first:
            self._waiting.extend(asked)
        else:  # what was begun is finished first
            self._waiting.extendleft(reversed(asked))
        return None

    def _finish(self, number: int, result: Any) -> Record:
        return self._live.pop(number).record(result)
