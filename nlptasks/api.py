"""Tasks from Python: ``nlptasks.task("summarization", model=...)``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from typing_extensions import Self

from nlptasks.backends.base import Backend
from nlptasks.backends.factory import wrapped
from nlptasks.data import column_names, one_line, plain_column
from nlptasks.engine import Engine
from nlptasks.errors import InputError, SampleError, UnknownNameError
from nlptasks.job import AnyTask, PromptOverride, load_task, prepare, task_options, told_apart
from nlptasks.records import Delta, Failure, Record, Sample


class TaskRunner:
    """A task on a backend, ready to be called. Also a context manager that frees the model at its end."""

    def __init__(self, task: AnyTask, options: BaseModel, backend: Backend) -> None:
        self.task = task
        self.options = options
        self.backend = backend
        self._engine = Engine(task, options, backend)

    def __call__(self, value: Any = None, /, **fields: Any) -> Any:
        """Run one sample and return the task's ``Output``.

        ``value`` is the first Input field, a mapping of fields, or an Input; ``fields`` are further ones.

        Raises:
            InputError: the input does not fit.
            SampleError: the sample failed.
        """
        [record] = self._engine.run([self.sample(value, **fields)])
        if isinstance(record.result, Failure):
            raise SampleError(record.result)
        return record.result

    def map(self, values: Iterable[Any]) -> Iterator[Any]:
        """Yield an ``Output`` or a Failure for every value, in order. Values are taken in as they are needed."""
        for record in self.records(values):
            yield record.result

    def records(self, values: Iterable[Any]) -> Iterator[Record]:
        """Yield a Record for every value, in order; one that does not fit is a Record with its Failure."""
        return self._engine.run_in_order(self._item(index, value) for index, value in enumerate(values))

    def stream(self, value: Any = None, /, **fields: Any) -> Iterator[Any]:
        """Yield Deltas of the answer, and as the last item the ``Output``.

        Raises:
            InputError, SampleError: as when called.
        """
        for item in self._engine.stream(self.sample(value, **fields)):
            if isinstance(item, Delta):
                yield item
            elif isinstance(item.result, Failure):
                raise SampleError(item.result)
            else:
                yield item.result

    def sample(self, value: Any = None, /, **fields: Any) -> Sample:
        """Return a value as a Sample of this task.

        Raises:
            InputError: the input does not fit.
            UnknownNameError: there is no such field.
        """
        if isinstance(value, Sample):
            return value
        if isinstance(value, self.task.Input):
            return Sample("0", value)
        given = value if isinstance(value, Mapping) else {} if value is None else {plain_column(self.task): value}
        known = {
            column
            for field, info in self.task.Input.model_fields.items()
            for column in (field, *column_names(field, info))
        }
        for name in fields:
            if name not in known:
                raise UnknownNameError("field", name, known, f"Options go to nlptasks.task({self.task.name!r}, ...).")
        try:
            return Sample("0", self.task.Input.model_validate({**given, **fields}, context={"base": "."}))
        except ValidationError as error:
            raise InputError(f"Input of {self.task.name}: {one_line(error)}") from None

    def _item(self, index: int, value: Any) -> Sample | Record:
        try:
            sample = self.sample(value)
        except InputError as error:
            return Record(Sample(str(index), None, index=index), Failure("input", str(error)))
        return Sample(str(index), sample.input, sample.references, index, sample.row)

    def close(self) -> None:
        """Free what the backend holds."""
        self.backend.close()

    def __enter__(self) -> Self:
        self.backend.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()


def task(
    name: str,
    *,
    model: str | Backend | None = None,
    system: str | None = None,
    prompt: str | None = None,
    cache: bool | None = None,
    **options: Any,
) -> TaskRunner:
    """Return a task that can be called on one input or mapped over many.

    Args:
        name: a registered task, such as ``"summarization"``.
        model: ``provider/model`` or a Backend; None takes the configured default.
        system: a system prompt in place of the task's own (a jinja2 template).
        prompt: a user prompt in place of the task's own (a jinja2 template over the input and options).
        cache: whether to keep completions in the response cache; None takes the configured default.
        options: options of the task or of the backend.

    Raises:
        UnknownNameError, ConfigError, PluginError, BackendError: each says what to do.
    """
    loaded = load_task(name, PromptOverride(system, prompt))
    if isinstance(model, Backend):
        return TaskRunner(loaded, task_options(loaded, options), wrapped(model))
    job = prepare(loaded, *told_apart(loaded, options, model), model, cache)
    return TaskRunner(job.task, job.options, job.factory.build())
