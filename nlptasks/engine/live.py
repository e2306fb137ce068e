"""A sample whose steps are under way."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from nlptasks.backends.base import Answer, Limits, Show
from nlptasks.errors import ConfigError, NLPTasksError, raised_by
from nlptasks.records import Completion, Delta, Failure, Record, Request, Sample
from nlptasks.tasks import Steps, Task


class Live:
    """The requests of the current step, and the answers it has so far.

    ``show`` gets the pieces of an answer that is the output's text. A setting that does not fit ends every sample of a
    run alike, so it is raised; a sample that is ``apart``, with options of its own, fails by itself.
    """

    def __init__(
        self,
        task: Task[Any, Any, Any],
        sample: Sample,
        options: Any,
        limits: Limits,
        show: Show | None = None,
        apart: bool = False,
    ) -> None:
        self.sample = sample
        self.requests: Sequence[Request] = ()
        self.answers: dict[int, Answer] = {}
        self._exchanges: list[tuple[Request, Answer]] = []
        self._task = task
        self._steps = _steps(task, sample, options, limits)
        self._show = show if show and task.streams(sample) else None
        self._shown = Delta()
        self._apart = apart
        self._started = time.perf_counter()

    @property
    def begun(self) -> bool:
        """Whether a step is behind it."""
        return bool(self._exchanges)

    @property
    def answered(self) -> bool:
        """Whether all requests of the current step have their answers."""
        return len(self.answers) == len(self.requests)

    @property
    def show(self) -> Show | None:
        """What gets the pieces of the current step's answer, None where they are not wanted."""
        return self._piece if self._show and len(self.requests) == 1 else None

    def advance(self) -> Any:
        """Run the task up to its next requests; return None then, or its prediction or Failure."""
        answers: Any = [self.answers[position] for position in range(len(self.requests))]
        self._file()
        try:
            asked = self._steps.send(answers or None)  # type: ignore[arg-type]  # None starts it
        except StopIteration as stop:
            return stop.value if isinstance(stop.value, (self._task.Output, Failure)) else self._misfit(stop.value)
        except ConfigError as error:
            if not self._apart:
                raise  # the same for every sample: better to stop at the first
            return Failure("config", " ".join(str(error).split()))
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
        if self.show and isinstance(answer, Completion):
            self._piece(Delta(answer.text[len(self._shown.text) :], answer.reasoning[len(self._shown.reasoning) :]))
            self._shown = Delta()
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

    def _piece(self, delta: Delta) -> None:
        if self._show and (delta.text or delta.reasoning):
            self._shown = Delta(self._shown.text + delta.text, self._shown.reasoning + delta.reasoning)
            self._show(delta)

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
