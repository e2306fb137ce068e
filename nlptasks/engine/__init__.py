"""The one scheduler: samples in, records out as they finish.

A bounded window of samples is alive at a time. Their requests are pooled, so that a backend's batch
crosses samples and steps, and memory does not grow with the number of samples.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from nlptasks.backends.base import Answer, Backend, Capability, Show, checked, complete_safely, name_of
from nlptasks.engine.live import Live
from nlptasks.engine.pool import Pool
from nlptasks.errors import NLPTasksError, UnsupportedError, raised_by
from nlptasks.records import Delta, Failure, Record, Request, Sample
from nlptasks.tasks import Task

AHEAD = 256
"""How far a run in order may be ahead of its slowest sample."""


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
            yield from Pool(session, self.start).run(iter(items))

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
            for record in Pool(session, self.start).run(numbered()):
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

    def start(self, sample: Sample, show: Show | None = None, apart: bool = False) -> Live:
        """Return a sample ready to take its first step; ``show`` and ``apart`` as ``Live`` has them."""
        return Live(self._task, sample, self._options, self.backend.limits(), show, apart)


def _numbered(item: Sample | Record, number: int) -> Sample | Record:
    if isinstance(item, Record):
        return replace(item, sample=replace(item.sample, index=number))
    return replace(item, index=number)
