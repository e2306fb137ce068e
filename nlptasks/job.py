"""A task, its options and a backend, put together from names and plain values."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel, ValidationError

from nlptasks import config as settings
from nlptasks.backends.base import Backend
from nlptasks.backends.cached import cache_file
from nlptasks.backends.factory import BackendFactory, options_model, provider_factory
from nlptasks.data import column_names, one_line
from nlptasks.errors import ConfigError, PluginError, UnknownNameError
from nlptasks.plugin import registry
from nlptasks.runs import Run
from nlptasks.tasks import Prompts, Task

AnyTask = Task[Any, Any, Any]


@dataclass(frozen=True)
class PromptOverride:
    """The user's own templates; None keeps the task's."""

    system: str | None = None
    user: str | None = None

    def over(self, prompts: Prompts) -> Prompts:
        """Return ``prompts`` with what is set here in its place."""
        changed = {"system": self.system, "user": self.user}
        return replace(prompts, **{name: text for name, text in changed.items() if text is not None})


@dataclass(frozen=True)
class Job:
    """What ``Engine`` needs, and what a run must be known by."""

    task: AnyTask
    options: BaseModel
    factory: BackendFactory

    def run(self, backend: Backend, data: Mapping[str, Any]) -> Run:
        """Return the beginnings of a run over ``data``, which says where the rows come from.

        A file is known by its contents, not by its place; a folder or a stream by its place.
        """
        content = {name: value for name, value in data.items() if name not in ("path", "bytes")}
        fingerprint = {
            "task": self.task.name,
            "task_version": self.task.version,
            "data": content if data["sha256"] else dict(data),
            "model": self.factory.model,
            "backend": dict(backend.identity()),
            "options": {name: _brief(value) for name, value in self.options.model_dump(mode="json").items()},
            "prompt": self.task.active_prompts.digest(),
        }
        environment = {
            "nlptasks": version("nlptasks"),
            "python": platform.python_version(),
            "platform": platform.platform(),
        }
        return Run(fingerprint, data, environment)


def _brief(value: Any) -> Any:
    """Return a text of some length (a glossary, a schema) as its digest: a run is known by it, not a copy of it."""
    if not isinstance(value, str) or len(value) <= 64:
        return value
    return "sha256:" + hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def load_task(name: str, override: PromptOverride | None = None) -> AnyTask:
    """Return a new instance of a registered task.

    Raises:
        UnknownNameError, CollisionError, PluginError: the task.
    """
    kind = registry().load("task", name)
    if not (isinstance(kind, type) and issubclass(kind, Task)):
        raise PluginError(f"The task {name!r} is {kind!r}, which is no Task.")
    task: AnyTask = kind(override.over(kind.prompts) if override else None)
    return task


def prepare(
    task: AnyTask,
    values: Mapping[str, Any],
    model: str | None = None,
    cache: bool | None = None,
) -> Job:
    """Return a job: ``values`` are options of the task or of the backend, told apart by name.

    Raises:
        UnknownNameError, ConfigError, PluginError: an option or the model.
    """
    config = settings.load()
    name = model or config.model
    provider = name.partition("/")[0]
    backend_model = options_model(provider_factory(name))
    fields = task.Options.model_fields.items()
    ours = {column for field, info in fields for column in (field, *column_names(field, info))}
    theirs = set() if backend_model is None else set(backend_model.model_fields)
    for option in values:
        if option not in ours | theirs:
            raise UnknownNameError("option", option, ours | theirs, f"Neither {task.name} nor {provider} has it.")
    configured = config.backends.get(provider.rpartition(":")[2], {})
    backend_options = {**configured, **{k: v for k, v in values.items() if k not in ours}}
    path = cache_file() if (config.cache if cache is None else cache) else None
    options = task_options(task, {k: v for k, v in values.items() if k in ours})
    return Job(task, options, BackendFactory(name, backend_options, path))


def task_options(task: AnyTask, values: Mapping[str, Any]) -> BaseModel:
    """Return the task's validated options.

    Raises:
        ConfigError: a value does not fit.
    """
    try:
        options: BaseModel = task.Options.model_validate(dict(values), by_name=True, by_alias=True)
    except ValidationError as error:
        raise ConfigError(f"Options of {task.name}: {one_line(error)}") from None
    return options
