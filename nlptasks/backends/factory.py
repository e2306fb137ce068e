"""From a model's name to a backend ready for use, wrappers included."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlptasks import config as settings
from nlptasks.backends.base import Backend
from nlptasks.errors import ConfigError, PluginError, UnknownNameError, closest
from nlptasks.plugin import registry
from nlptasks.plugin.registry import in_use

if TYPE_CHECKING:
    from nlptasks.backends.ray.cluster import Cluster


@dataclass(frozen=True)
class BackendFactory:
    """All that it takes to build a backend, here or in another process.

    ``model`` is ``provider/model``; ``options`` are validated by the provider's own Options model;
    ``cache`` is the file of the response cache, None for no cache; ``cluster`` is where workers answer, None for here.
    """

    model: str
    options: Mapping[str, Any] = field(default_factory=dict)
    cache: Path | None = None
    cluster: Cluster | None = None

    def build(self) -> Backend:
        """Return the backend in its wrappers. Loads no weights.

        Raises:
            UnknownNameError, CollisionError, PluginError: the provider, or a required plugin.
            ConfigError: an option.
            BackendError: the model.
        """
        backend = self.bare()
        if self.cluster:
            from nlptasks.backends.ray import Spread

            backend = Spread(backend, self, self.cluster)
        return wrapped(backend, self.cache)

    def bare(self) -> Backend:
        """Return the backend itself, without wrappers."""
        provider, _, name = self.model.partition("/")
        load = provider_factory(self.model)
        model = options_model(load)
        if model is None and self.options:
            raise UnknownNameError("option", next(iter(self.options)), [], f"{provider} takes no options.")
        arguments = [] if model is None else [_validated(model, self.options, provider)]
        with in_use(registry().find("backend", provider), "backend"):
            backend = load(name, *arguments)
        if not isinstance(backend, Backend):
            raise PluginError(f"The backend {provider!r} gave {type(backend).__name__}, which is no Backend.")
        return backend


def wrapped(backend: Backend, cache: Path | None = None) -> Backend:
    """Return guard(dedupe(cache(backend))). Without the plugins that the settings require, there is none.

    Raises:
        PluginError: a required plugin is not in service.
    """
    from nlptasks.backends.cached import Cached, Store
    from nlptasks.backends.dedupe import Dedupe
    from nlptasks.backends.guarded import Guarded, Guards

    plugins = registry().plugins
    plugins.require(settings.load().required_plugins)
    if cache is not None:
        backend = Cached(backend, Store(cache))
    backend = Dedupe(backend)
    guards = Guards(plugins)
    return Guarded(backend, guards) if guards else backend


def provider_factory(model: str) -> Callable[..., Any]:
    """Return the factory that ``model``'s provider registered.

    Raises:
        UnknownNameError: no such provider; a folder or hub id without ``hf/`` is pointed out.
        CollisionError, MissingExtraError, PluginError: the provider's plugin.
    """
    provider = model.partition("/")[0]
    known = [entry.spec.name for entry in registry().entries("backend")]
    if provider.rpartition(":")[2] not in known and ("/" in model or Path(model).exists()):
        near = closest(provider, known)
        hint = "" if near else f"For a Hugging Face model or folder say hf/{model}. "
        raise UnknownNameError("backend", provider, known, f"{hint}See: nlptasks backends list")
    factory: Callable[..., Any] = registry().load("backend", provider)
    if not callable(factory):
        raise PluginError(f"The backend {provider!r} is a {type(factory).__name__}, which cannot be called.")
    return factory


def options_model(load: Callable[..., Any]) -> Any:
    """Return the pydantic model of a factory's ``options`` argument, None where it takes none.

    Only that one annotation is looked at: others may name what is imported for type checkers alone.
    """
    return _annotation(load.__init__ if inspect.isclass(load) else load, "options")


def backend_class(load: Callable[..., Any]) -> type[Backend]:
    """Return the class that a factory says it returns, or is; Backend where it says nothing that can be found."""
    try:
        kind = load if inspect.isclass(load) else _annotation(load, "return")
    except PluginError:  # an annotation may name what is imported for type checkers alone
        return Backend
    return kind if inspect.isclass(kind) and issubclass(kind, Backend) else Backend


def _annotation(function: Callable[..., Any], name: str) -> Any:
    function = inspect.unwrap(function)
    annotation = getattr(function, "__annotations__", {}).get(name)
    try:
        return eval(annotation, function.__globals__) if isinstance(annotation, str) else annotation
    except NameError as error:
        raise PluginError(f"The {name} of {function.__qualname__} cannot be found: {error}") from None


def _validated(model: Any, options: Mapping[str, Any], provider: str) -> Any:
    from pydantic import ValidationError

    for name in options:
        if name not in model.model_fields:
            raise UnknownNameError("option", name, model.model_fields, f"See: nlptasks backends show {provider}")
    try:
        return model.model_validate(dict(options))
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"The {provider} option {'.'.join(map(str, first['loc']))}: {first['msg']}.") from None
