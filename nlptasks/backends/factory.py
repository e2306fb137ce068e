"""From a model's name to a backend ready for use, wrappers included."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nlptasks.backends.base import Backend
from nlptasks.errors import ConfigError, PluginError, UnknownNameError
from nlptasks.plugin import registry


@dataclass(frozen=True)
class BackendFactory:
    """All that it takes to build a backend, here or in another process.

    ``model`` is ``provider/model``; ``options`` are validated by the provider's own Options model;
    ``cache`` is the file of the response cache, None for no cache.
    """

    model: str
    options: Mapping[str, Any] = field(default_factory=dict)
    cache: Path | None = None

    def build(self) -> Backend:
        """Return guard(dedupe(cache(backend))). Loads no weights.

        Raises:
            UnknownNameError, CollisionError, PluginError: the provider.
            ConfigError: an option.
            BackendError: the model.
        """
        from nlptasks.backends.cached import Cached, Store
        from nlptasks.backends.dedupe import Dedupe
        from nlptasks.backends.guarded import Guarded, Guards

        backend = self.bare()
        if self.cache is not None:
            backend = Cached(backend, Store(self.cache))
        backend = Dedupe(backend)
        guards = Guards(registry().plugins)
        return Guarded(backend, guards) if guards else backend

    def bare(self) -> Backend:
        """Return the backend itself, without wrappers."""
        provider, _, name = self.model.partition("/")
        load = provider_factory(self.model)
        options = options_model(load)
        if options is None:
            if self.options:
                raise UnknownNameError("option", next(iter(self.options)), [], f"{provider} takes no options.")
            backend = load(name)
        else:
            backend = load(name, _validated(options, self.options, provider))
        if not isinstance(backend, Backend):
            raise PluginError(f"The backend {provider!r} gave {type(backend).__name__}, which is no Backend.")
        return backend


def provider_factory(model: str) -> Callable[..., Any]:
    """Return the factory that ``model``'s provider registered.

    Raises:
        UnknownNameError: no such provider; a folder or hub id without ``hf/`` is pointed out.
    """
    provider = model.partition("/")[0]
    known = [entry.spec.name for entry in registry().entries("backend")]
    if provider.rpartition(":")[2] not in known and ("/" in model or Path(model).exists()):
        hint = f"For a Hugging Face model or folder say hf/{model}. See: nlptasks backends list"
        raise UnknownNameError("backend", provider, known, hint)
    factory: Callable[..., Any] = registry().load("backend", provider)
    return factory


def options_model(load: Callable[..., Any]) -> Any:
    """Return the pydantic model of a factory's ``options`` argument, None where it takes none."""
    function = load.__init__ if inspect.isclass(load) else load
    return typing.get_type_hints(function).get("options")


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
