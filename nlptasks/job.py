"""A task, its options and a backend, put together from names and plain values."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from nlptasks import config as settings
from nlptasks.backends.base import Backend
from nlptasks.backends.cached import cache_file
from nlptasks.backends.factory import BackendFactory, options_model, provider_factory
from nlptasks.backends.guarded import Guarded
from nlptasks.data import column_names, one_line
from nlptasks.errors import ConfigError, PluginError, UnknownNameError
from nlptasks.plugin import registry
from nlptasks.plugin.registry import in_use
from nlptasks.runs import Run
from nlptasks.tasks import Prompts, Task

if TYPE_CHECKING:
    from nlptasks.backends.ray.cluster import Cluster

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

        Files are known by their contents, not by their place; a stream by its place.
        """
        options, guarded = self.options.model_dump(mode="json"), isinstance(backend, Guarded)
        content = {name: value for name, value in data.items() if name not in ("path", "bytes")}
        fingerprint = {
            "task": self.task.name,
            "task_version": self.task.version,
            "data": content if data["sha256"] else dict(data),
            "model": self.factory.model,
            "backend": dict(backend.identity()),
            "options": {name: _known(value, guarded) for name, value in options.items()},
            "prompt": self.task.active_prompts.digest(),
        }
        environment = {
            "nlptasks": version("nlptasks"),
            "python": platform.python_version(),
            "platform": platform.platform(),
        }
        return Run(fingerprint, data, environment)


def _known(value: Any, guarded: bool) -> Any:
    """Return an option's value; a text of some length, or any text where there are guards, as its digest."""
    if isinstance(value, list):
        return [_known(item, guarded) for item in value]
    if not isinstance(value, str) or (len(value) <= 64 and not guarded):
        return value
    return "sha256:" + hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def load_task(name: str, override: PromptOverride | None = None) -> AnyTask:
    """Return a new instance of a registered task.

    Raises:
        UnknownNameError, CollisionError, PluginError: the task.
    """
    entry, kind = registry().find("task", name), registry().load("task", name)
    if not (isinstance(kind, type) and issubclass(kind, Task)):
        raise PluginError(f"The task {name!r} is {kind!r}, which is no Task.")
    for what in ("Input", "Options", "Output"):
        model = getattr(kind, what, None)
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise PluginError(f"The task {name!r} has {model!r} as its {what}: make it a pydantic model.")
    if not isinstance(getattr(kind, "name", None), str):
        raise PluginError(f"The task {name!r} is a class without a name: name = {entry.spec.name!r}.")
    with in_use(entry, "task"):
        task: AnyTask = kind(override.over(kind.prompts) if override else None)
    return task


def prepare(
    task: AnyTask,
    options: Mapping[str, Any],
    backend_options: Mapping[str, Any],
    model: str | None = None,
    cache: bool | None = None,
    cluster: Cluster | None = None,
) -> Job:
    """Return a job with what is given, over what is configured.

    Raises:
        UnknownNameError, ConfigError, PluginError: an option or the model.
    """
    return Job(task, task_options(task, options), backend_factory(model, backend_options, cache, cluster))


def backend_factory(
    model: str | None, options: Mapping[str, Any], cache: bool | None, cluster: Cluster | None = None
) -> BackendFactory:
    """Return a factory with what is given, over what is configured."""
    config = settings.load()
    name = model or config.model
    configured = config.backends.get(name.partition("/")[0].rpartition(":")[2], {})
    path = cache_file() if (config.cache if cache is None else cache) else None
    return BackendFactory(name, {**configured, **options}, path, cluster)


def told_apart(task: AnyTask, values: Mapping[str, Any], model: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return options of the task, and options of the model's backend; a name that both have is the task's.

    Raises:
        UnknownNameError: neither has an option of that name.
    """
    name = model or settings.load().model
    backend_model = options_model(provider_factory(name))
    fields = task.Options.model_fields.items()
    ours = {column for field, info in fields for column in (field, *column_names(field, info))}
    theirs = set() if backend_model is None else set(backend_model.model_fields)
    for option in values:
        if option not in ours | theirs:
            provider = name.partition("/")[0]
            raise UnknownNameError("option", option, ours | theirs, f"Neither {task.name} nor {provider} has it.")
    of_task = {option: value for option, value in values.items() if option in ours}
    return of_task, {option: value for option, value in values.items() if option not in ours}


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
