"""What a call of ``train`` asks for, checked and put together before anything is read or loaded."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from nlptasks.batch import origin
from nlptasks.data import Columns, one_line
from nlptasks.errors import ConfigError, UsageError
from nlptasks.job import AnyTask, task_options, told_apart
from nlptasks.training.examples import Data
from nlptasks.training.options import TrainingOptions

PROVIDER = "hf"
CHANGEABLE = {"metric", "patience"}
"""Options that change nothing of what was learnt already, so that a training may go on with others."""


@dataclass(frozen=True)
class Setup:
    """A training: a task, a model to begin with, data and options.

    ``model`` is ``hf/<folder or hub id>``, or None where ``config`` says what to make from nothing: the name of a
    config of ours or a config file of transformers. ``evaluation`` is what ``evaluate`` takes as data.
    """

    task: AnyTask
    data: Sequence[Data]
    model: str | None
    output: Path
    config: str | None = None
    evaluation: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    options: TrainingOptions = field(default_factory=TrainingOptions)
    task_options: BaseModel | None = None
    backend_options: Mapping[str, Any] = field(default_factory=dict)
    licence: str = ""

    def __post_init__(self) -> None:
        if not self.data:
            raise UsageError("There is nothing to learn from: name a file with --data FILE.")
        if (self.model is None) == (self.config is None):
            raise UsageError("Say what to begin with: --model hf/FOLDER, or --from-scratch with --config.")
        if self.model is not None and not self.model.startswith(f"{PROVIDER}/"):
            raise UsageError(f"{self.model!r} cannot be trained: name a local model, --model hf/FOLDER or hf/HUB-ID.")
        if self.model is not None and Path(self.name).expanduser().resolve() == self.output.resolve():
            raise UsageError("--output is the model's own folder: name another one.")

    @property
    def name(self) -> str:
        """The model without its provider, "" where there is none."""
        return (self.model or "").removeprefix(f"{PROVIDER}/")

    def with_options(self, given: Mapping[str, Any]) -> Setup:
        """Return this with options of training, of the task and of the backend, told apart by their names.

        Raises:
            UsageError: an option, weights that cannot learn, or nothing to score with.
        """
        file = self.evaluation is not None and Path(self.evaluation).exists()  # a benchmark brings metrics
        if file and not (self.task.metrics or given.get("metrics")):
            raise UsageError(
                f"{self.task.name} has no metric of its own: name some with --metrics, or leave --eval out."
            )
        ours = {name: value for name, value in given.items() if name in TrainingOptions.model_fields}
        rest = {name: value for name, value in given.items() if name not in ours}
        of_task, of_backend = told_apart(self.task, rest, self.model or f"{PROVIDER}/")
        if of_backend.get("dtype") == "int8":
            raise UsageError("Weights of eight bits do not learn: leave --dtype out, and use it on what was trained.")
        return replace(
            self,
            options=training_options(ours),
            task_options=task_options(self.task, of_task),
            backend_options=of_backend,
        )

    def fingerprint(self, begins_with: Any) -> dict[str, Any]:
        """Return what must be the same for a training to be resumed; ``begins_with`` tells models apart."""
        return {
            "task": self.task.name,
            "task_version": self.task.version,
            "data": [_known(one, self.task) for one in self.data],
            "model": self.model,
            "begins_with": begins_with,
            "evaluation": self.evaluation,
            "options": self.options.model_dump(mode="json", exclude=CHANGEABLE),
            "task_options": None if self.task_options is None else self.task_options.model_dump(mode="json"),
            "prompt": self.task.active_prompts.digest(),
        }

    @staticmethod
    def environment() -> dict[str, str]:
        """Return what training is done with."""
        names = ("nlptasks", "torch", "transformers")
        return {**{name: version(name) for name in names}, "python": platform.python_version()}


def training_options(values: Mapping[str, Any]) -> TrainingOptions:
    """Return validated options.

    Raises:
        ConfigError: a value does not fit.
    """
    try:
        return TrainingOptions.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError(f"Options of training: {one_line(error)}") from None


def _known(data: Data, task: AnyTask) -> dict[str, Any]:
    known = origin(data.path, Columns(task, data.columns, data.defaults))
    return {**{name: value for name, value in known.items() if name not in ("path", "bytes")}, "weight": data.weight}
