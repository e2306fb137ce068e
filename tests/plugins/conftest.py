from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nlptasks import Backend, Capability, Completion, Failure, Limits, Record, Request, Sample, Task
from nlptasks.engine import Engine
from tests.examples import environment
from tests.support import ROOT

Answer = Callable[[Request], "str | Completion | Failure"]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this project, built."""
    return environment.wheel(ROOT, tmp_path_factory.mktemp("wheel"))


@dataclass
class Scripted(Backend):
    """A backend that answers what a function says, counts a token for every four bytes, and keeps its batches."""

    answer: Answer
    context: int | None = None

    def __post_init__(self) -> None:
        self.batch_size = 1000
        self.capabilities = frozenset(Capability)
        self.batches: list[list[Request]] = []

    def complete(self, requests: Sequence[Request]) -> list[Completion | Failure]:
        self.batches.append(list(requests))
        answers = map(self.answer, requests)
        return [Completion(answer) if isinstance(answer, str) else answer for answer in answers]

    def limits(self) -> Limits:
        return Limits(self.context)


@dataclass
class Asked:
    """What came of one sample."""

    record: Record
    batches: list[list[Request]]

    @property
    def result(self) -> Any:
        return self.record.result

    @property
    def requests(self) -> list[Request]:
        return [request for batch in self.batches for request in batch]


Ask = Callable[..., Asked]


@pytest.fixture(scope="session")
def ask() -> Ask:
    """Run a task through the engine on one row and a scripted backend."""

    def run(
        task: Task[Any, Any, Any],
        row: dict[str, Any],
        answer: Answer,
        *,
        context: int | None = None,
        **options: Any,
    ) -> Asked:
        backend = Scripted(answer, context)
        sample = Sample("1", task.Input.model_validate(row))
        engine = Engine(task, task.Options.model_validate(options), backend)
        [record] = engine.run([sample])
        return Asked(record, backend.batches)

    return run
