"""A task as it is put to the test: with solved examples before each question, and the same question asked again."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nlptasks.backends.base import Limits
from nlptasks.errors import InputError
from nlptasks.evaluation.table import EPOCH
from nlptasks.job import AnyTask
from nlptasks.records import Completion, Message, Record, Request, Sample
from nlptasks.tasks import Steps, Task

SEED = 0
"""Of the draw of examples: the same data give the same ones."""
Items = Sequence[Sample | Record]
Change = Callable[[Request], Request]


class Trial(Task[Any, Any, Any]):
    """Asks what ``task`` asks, after the examples ``shots``, each question ``epochs`` times; all else is the task's."""

    def __init__(self, task: AnyTask, options: Any, shots: Sequence[Sample], epochs: int = 1) -> None:
        super().__init__()
        self._task, self._epochs = task, epochs
        self._turns = tuple(turn for shot in shots for turn in _turns(task, options, shot))
        for name in ("name", "Input", "Options", "Output", "needs"):
            setattr(self, name, getattr(task, name))

    def prompt(self, sample: Sample, options: Any) -> Request:
        return self._changed(sample)(self._task.prompt(sample, options))

    def parse(self, sample: Sample, completion: Completion) -> Any:
        return self._task.parse(sample, completion)

    def steps(self, sample: Sample, options: Any, limits: Limits) -> Steps[Any]:
        change = self._changed(sample)
        steps = self._task.steps(sample, options, _Limits(limits.context, inner=limits, change=change))
        answers: Any = None
        try:
            while True:
                answers = yield [change(request) for request in steps.send(answers)]
        except StopIteration as stop:
            return stop.value
        finally:
            steps.close()

    def _changed(self, sample: Sample) -> Change:
        def change(request: Request) -> Request:
            first = sum(message.role == "system" for message in request.messages)
            messages = (*request.messages[:first], *self._turns, *request.messages[first:])
            return replace(request, messages=messages, epoch=sample.index % self._epochs)

        return change


@dataclass(frozen=True)
class _Limits(Limits):
    """Counts a request with its examples."""

    inner: Limits = field(kw_only=True)
    change: Change = field(kw_only=True)

    def count(self, request: Request) -> int:
        return self.inner.count(self.change(request))


def _turns(task: AnyTask, options: Any, shot: Sample) -> list[Message]:
    try:
        asked = task.prompt(shot, options)
        return [*(one for one in asked.messages if one.role != "system"), Message("assistant", task.target(shot))]
    except ValueError as error:
        raise InputError(f"An example cannot be shown: {error}") from None


def draw(task: AnyTask, count: int, pool: Items, tested: Items) -> list[Sample]:
    """Return ``count`` examples of ``pool`` whose inputs are not among those ``tested``.

    Raises:
        InputError: there are too few.
    """
    taken = {key(item) for item in tested}
    free = [item for item in pool if isinstance(item, Sample) and key(item) not in taken and has_target(task, item)]
    if len(free) < count:
        raise InputError(f"There are {len(free)} examples to draw from, not {count}: lower --shots.")
    return random.Random(SEED).sample(free, count)


def key(item: Sample | Record) -> str:
    """Return what tells one input from another."""
    sample = item.sample if isinstance(item, Record) else item
    return sample.id if sample.input is None else json.dumps(sample.input.model_dump(mode="json"), sort_keys=True)


def has_target(task: AnyTask, sample: Sample) -> bool:
    """Whether there is something to compare a prediction with."""
    try:
        task.target(sample)
    except ValueError:
        return False
    return True


def repeated(items: Items, epochs: int) -> list[Sample | Record]:
    """Return every item ``epochs`` times, numbered anew.

    Raises:
        InputError: the column that tells the epochs apart is taken.
    """
    if epochs == 1:
        return [_renumbered(item, index) for index, item in enumerate(items)]
    if any(EPOCH in (item.sample if isinstance(item, Record) else item).row for item in items):
        raise InputError(f"The data have a column {EPOCH!r} of their own, in which --epochs counts: rename it first.")
    return [
        _renumbered(item, position * epochs + epoch, {EPOCH: epoch})
        for position, item in enumerate(items)
        for epoch in range(epochs)
    ]


def _renumbered(item: Sample | Record, index: int, more: dict[str, int] | None = None) -> Sample | Record:
    sample = item.sample if isinstance(item, Record) else item
    sample = replace(sample, index=index, row={**sample.row, **(more or {})})
    return replace(item, sample=sample) if isinstance(item, Record) else sample
