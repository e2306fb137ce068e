"""The one scheduler: samples in, records out as they finish.

A bounded window of samples is alive at a time. Their requests are pooled, so that a backend's batch
crosses samples and steps, and memory does not grow with the number of samples.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from nlptasks.backends.base import Answer, Backend, Capability, Limits, Session, checked, complete_safely, name_of
from nlptasks.errors import BackendError, ConfigError, NLPTasksError, UnsupportedError, raised_by
from nlptasks.records import Delta, Failure, Record, Request, Sample
from nlptasks.tasks import Steps, Task

LEAST_WINDOW = 32
AHEAD = 256
"""How far a run in order may be ahead of its slowest sample."""
Key = tuple[int, int]
END: Any = object()


class _Live:
    """A sample whose steps are under way: the requests of the current step, and the answers it has so far."""

    def __init__(self, task: Task[Any, Any, Any], sample: Sample, options: Any, limits: Limits) -> None:
        self.sample = sample
        self.requests: Sequence[Request] = ()
        self.answers: dict[int, Answer] = {}
        self._exchanges: list[tuple[Request, Answer]] = []
        self._task = task
        self._steps = _steps(task, sample, options, limits)
        self._started = time.perf_counter()

    @property
    def begun(self) -> bool:
        """Whether a step is behind it."""
        return bool(self._exchanges)

    @property
    def answered(self) -> bool:
        """Whether all requests of the current step have their answers."""
        return len(self.answers) == len(self.requests)

    def advance(self) -> Any:
        """Run the task up to its next requests; return None then, or its prediction or Failure."""
        answers: Any = [self.answers[position] for position in range(len(self.requests))]
        self._file()
        try:
            asked = self._steps.send(answers or None)  # type: ignore[arg-type]  # None starts it
        except StopIteration as stop:
            return stop.value if isinstance(stop.value, (self._task.Output, Failure)) else self._misfit(stop.value)
        except ConfigError:
            raise  # the same for every sample: better to stop at the first
        except (NLPTasksError, ValueError) as error:
            return Failure("sample", " ".join(str(error).split()))
        except (Exception, SystemExit) as error:  # a third party's task may raise anything
            return Failure("task", raised_by(self._task.name, error))
        if not (isinstance(asked, Sequence) and asked and all(isinstance(one, Request) for one in asked)):
            return Failure("task", f"{self._task.name} asked for {type(asked).__name__}, not for a list of Requests")
        self.requests = tuple(asked)
        return None

    def receive(self, position: int, answer: Answer) -> Failure | None:
        """Take one answer; a Failure ends the sample."""
        self.answers[position] = answer
        return answer if isinstance(answer, Failure) else None

    def record(self, result: Any) -> Record:
        """End the sample."""
        self._file()
        self.close()
        return Record(self.sample, result, tuple(self._exchanges), time.perf_counter() - self._started)

    def close(self) -> None:
        """Let the task clean up; its result stands, whatever happens there."""
        with suppress(Exception):
            self._steps.close()

    def _file(self) -> None:
        """Keep the exchanges of a step in the order in which they were asked for."""
        self._exchanges += [(self.requests[position], answer) for position, answer in sorted(self.answers.items())]
        self.requests, self.answers = (), {}

    def _misfit(self, value: Any) -> Failure:
        wanted, found = self._task.Output.__name__, type(value).__name__
        return Failure("task", f"{self._task.name} gave a {found} as its prediction, not its {wanted}")


def _steps(task: Task[Any, Any, Any], sample: Sample, options: Any, limits: Limits) -> Steps[Any]:
    """Run ``task.steps`` such that all of it, its call too, happens where its errors are caught."""
    return (yield from task.steps(sample, options, limits))


class Engine:
    """Runs one task with one set of options on one backend.

    Raises:
        UnsupportedError: on creation, if the backend cannot do the task. No weights are loaded then.
    """

    def __init__(self, task: Task[Any, Any, Any], options: Any, backend: Backend) -> None:
        if refusal := backend.refusal(task.name):
            raise UnsupportedError(refusal)
        needed = task.needs | ({Capability.SCHEMA} if getattr(options, "json_schema", None) else set())
        if missing := ", ".join(sorted(one.value for one in needed - backend.capabilities)):
            raise UnsupportedError(f"{task.name} needs a model with {missing} for this: choose another with --model.")
        self._task, self._options, self.backend = task, options, backend

    def run(self, items: Iterable[Sample | Record]) -> Iterator[Record]:
        """Yield a record for every sample, in completion order. A Record among the items passes through."""
        with self.backend.open() as session:
            yield from _Pool(self, session).run(iter(items))

    def run_in_order(self, items: Iterable[Sample | Record]) -> Iterator[Record]:
        """Yield a record for every sample, in the order of the items; no more than ``AHEAD`` wait for a slow one."""
        finished: dict[int, Record] = {}
        expected = 0

        def numbered() -> Iterator[Sample | Record | None]:
            for number, item in enumerate(items):
                while number - expected >= AHEAD:
                    yield None  # nothing for now
                yield _numbered(item, number)

        with self.backend.open() as session:
            for record in _Pool(self, session).run(numbered()):
                finished[record.sample.index] = record
                while expected in finished:
                    yield finished.pop(expected)
                    expected += 1

    def stream(self, sample: Sample) -> Iterator[Delta | Record]:
        """Run one sample; the last item, and only that, is its Record.

        Deltas come from steps of one request, and only where the task says that the sample ``streams``.
        """
        if not self._task.streams(sample):
            yield from self.run([sample])
            return
        live = self.start(sample)
        try:
            result = live.advance()
            while result is None:
                if len(live.requests) == 1:
                    answers: Sequence[Answer] = [(yield from self._ask(live.requests[0]))]
                else:
                    answers = complete_safely(self.backend, live.requests)
                for position, answer in enumerate(answers):
                    if result := live.receive(position, answer):
                        break
                else:
                    result = live.advance()
            yield live.record(result)
        finally:
            live.close()

    def _ask(self, request: Request) -> Generator[Delta, None, Answer]:
        try:
            for item in self.backend.stream(request):
                if not isinstance(item, Delta):
                    return checked(self.backend, item)
                yield item
        except NLPTasksError:
            raise
        except (Exception, SystemExit) as error:  # a third party's code may raise anything
            return Failure("backend", raised_by(name_of(self.backend), error))
        return Failure("backend", f"{name_of(self.backend)} ended a stream without an answer")

    def start(self, sample: Sample) -> _Live:
        """Return a sample ready to take its first step."""
        return _Live(self._task, sample, self._options, self.backend.limits())


def _numbered(item: Sample | Record, number: int) -> Sample | Record:
    if isinstance(item, Record):
        return replace(item, sample=replace(item.sample, index=number))
    return replace(item, index=number)


class _Pool:
    """The live samples of one run and their waiting requests."""

    def __init__(self, engine: Engine, session: Session[Key]) -> None:
        self._engine, self._session = engine, session
        self._window = max(LEAST_WINDOW, 2 * session.room)
        self._live: dict[int, _Live] = {}
        self._waiting: deque[tuple[Key, Request]] = deque()
        self._held = 0
        self._numbers = itertools.count()

    def run(self, items: Iterator[Sample | Record | None]) -> Iterator[Record]:
        """Work on the items; None among them says that there is nothing new for now."""
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
        if self._waiting and not self._held:
            raise BackendError("The backend holds nothing and yet has no room: its batch_size must be at least 1.")
        if not self._held:
            return None
        (number, position), answer = self._session.get()
        self._held -= 1
        live = self._live.get(number)
        if live is None:  # its sample failed by another request
            return None
        if failure := live.receive(position, answer):
            return self._end(number, failure)
        return self._advance(number, live) if live.answered else None

    def _advance(self, number: int, live: _Live) -> Record | None:
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
