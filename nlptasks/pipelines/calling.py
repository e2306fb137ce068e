"""What all pipelines share: one input, a list or a stream in; one result, a list or a stream out."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from nlptasks.api import TaskRunner
from nlptasks.backends.base import warn_once
from nlptasks.backends.hf.backend import HFBackend
from nlptasks.backends.hf.plan import NOT_EXTRA
from nlptasks.errors import SampleError, UnsupportedError
from nlptasks.job import AnyTask, load_task, task_options
from nlptasks.records import Completion, Failure, Record, Request, Sample
from nlptasks.tasks import GenerationOptions, Task

if TYPE_CHECKING:
    from nlptasks.pipelines.loading import Model

HARMLESS = frozenset(
    "batch_size num_workers framework use_fast padding timeout return_text binary_output low_cpu_mem_usage "
    "use_safetensors clean_up_tokenization_spaces truncation".split()
)
"""Arguments that change no result here: batches are made by size, and what is too long is read in parts."""

STOPS = frozenset({"stop", "stop_strings", "stop_sequence"})
"""Names for texts at which to stop."""


class Verbatim(Task[Any, GenerationOptions, Any]):
    """Asks a request as it is, once: the sample's input is the request, its prediction the completion."""

    Input = Request
    Options = GenerationOptions
    Output = Completion

    def __init__(self, name: str = "") -> None:
        super().__init__()
        self._name = name

    @property
    def name(self) -> str:  # type: ignore[override]
        return self._name

    def prompt(self, sample: Sample, options: GenerationOptions) -> Request:
        request: Request = sample.input
        return request

    def parse(self, sample: Sample, completion: Completion) -> Completion:
        return completion


class Pipeline(ABC):
    """A model with the calling convention of transformers 4; ``nlptasks.pipeline`` makes one."""

    task_names: ClassVar[Mapping[str, str]] = {}
    """The registered task that stands for a pipeline's, where the two have different names."""

    def __init__(self, task: str, model: Model) -> None:
        name = task.partition("_")[0]
        self.task = task
        self._model = model
        self._registered: AnyTask = load_task(self.task_names.get(name, name))
        if self.verbatim is None and (refusal := model.backend.refusal(self._registered.name)):
            raise UnsupportedError(refusal)

    @cached_property
    def verbatim(self) -> Verbatim | None:
        """The task that asks this pipeline's own requests, None where the registered task does the work."""
        return None

    @abstractmethod
    def __call__(self, *args: Any, **arguments: Any) -> Any:
        """Answer one input, a list or a stream of them."""

    @property
    def tokenizer(self) -> Any:
        """The tokenizer of a local model."""
        return self._model.bare.tokenizer  # type: ignore[attr-defined]

    @property
    def model(self) -> Any:
        """A local model itself, loaded."""
        return self._model.bare.model  # type: ignore[attr-defined]

    def _call(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call: its own over those the pipeline was made with."""
        call = {**self._model.defaults, **given}
        if config := call.pop("generation_config", None):
            call = {**generation_settings(config), **call}
        for name in STOPS & call.keys():
            call["stop"] = _several(call.pop(name))
        if call.pop("return_tensors", None):
            raise UnsupportedError("A backend hands over text, not token ids: leave out return_tensors=.")
        return {name: value for name, value in call.items() if value is not None}

    def _respond(self, inputs: Any, answers: Callable[[Iterable[Any]], Iterator[Any]]) -> Any:
        """Return one answer for one input, a list for a list, and an iterator for whatever else has items."""
        if is_list(inputs):
            return list(answers(inputs))
        if not isinstance(inputs, (str, bytes, Mapping)):
            if hasattr(inputs, "__iter__"):
                return answers(inputs)
            if hasattr(inputs, "__getitem__"):  # a dataset of torch
                return answers(inputs[index] for index in range(len(inputs)))
        [answer] = answers([inputs])
        return answer

    def _asked(self, requests: Iterable[Request]) -> Iterator[Record]:
        """Yield the records of requests that the pipeline wrote itself."""
        assert self.verbatim is not None
        runner = TaskRunner(self.verbatim, task_options(self.verbatim, {}), self._model.backend)
        return _good(runner.records(Sample("", request) for request in requests))

    def _done(self, rows: Iterable[Mapping[str, Any]], call: Mapping[str, Any]) -> Iterator[Record]:
        """Yield the records of the registered task."""
        runner = TaskRunner(self._registered, self._options(call), self._model.backend)
        return _good(runner.records(rows))

    def _options(self, call: Mapping[str, Any]) -> Any:
        """Return the registered task's options for the arguments of a call."""
        task, call = self._registered, {name: value for name, value in call.items() if name not in HARMLESS}
        if "max_length" in call:
            call.setdefault("max_new_tokens", call.pop("max_length"))
        if (sampled := call.pop("do_sample", None)) is not None:
            call["temperature"] = call.get("temperature", 1.0) if sampled else 0.0
        options = {name: value for name, value in call.items() if name in task.Options.model_fields}
        others = plain({name: value for name, value in call.items() if name not in options})
        if isinstance(self._model.bare, HFBackend):
            options["extra"] = {**others, **options.get("extra", {})}
        else:
            for name in others:
                warn_once(f"{name} has no effect on the {self.task} of this model.")
        return task_options(task, options)


def is_list(inputs: Any) -> bool:
    """Return whether these are several inputs that are all there."""
    return isinstance(inputs, Sequence) and not isinstance(inputs, (str, bytes))


def generation_settings(config: Any) -> dict[str, Any]:
    """Return what a GenerationConfig of transformers says that differs from its defaults."""
    settings = {
        name: value for name, value in config.to_diff_dict().items() if name[0] != "_" and name not in NOT_EXTRA
    }
    return {**settings, "stop": _several(config.stop_strings)} if config.stop_strings else settings


def _several(stop: Any) -> list[str]:
    return [stop] if isinstance(stop, str) else list(stop or ())


def plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as values that a request can hold. Raises UnsupportedError for one that it cannot."""
    return {name: _plain(name, value) for name, value in settings.items()}


def _plain(name: str, value: Any) -> Any:
    value = value.tolist() if hasattr(value, "tolist") else value  # a number or array of numpy or torch
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        message = f"{name}= takes plain values here, not {type(value).__name__}: leave it out."
        raise UnsupportedError(message) from None
    return value


def _good(records: Iterable[Record]) -> Iterator[Record]:
    for record in records:
        if isinstance(record.result, Failure):
            raise SampleError(record.result)
        yield record
