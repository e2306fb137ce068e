"""Finds plugins and calls their hooks, each by itself: a broken plugin is a line of warning, no more."""

from __future__ import annotations

import importlib
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pluggy

from nlptasks.errors import ConfigError, InputError, PluginError, UnknownNameError
from nlptasks.plugin import local, spec, state
from nlptasks.plugin.discovery import installed
from nlptasks.plugin.isolation import named_when_slow, offline, raising, reason, stdout_aside, whereabouts
from nlptasks.plugin.spec import CONTRACTS, KINDS, Kind, Spec

log = logging.getLogger("nlptasks")


@dataclass
class Plugin:
    """One plugin as ``plugins list`` shows it; ``state`` is loaded, broken or disabled."""

    name: str
    distribution: str
    version: str = ""
    contract: int = CONTRACTS[-1]
    state: str = "loaded"
    error: str = ""
    seconds: float = 0.0

    @property
    def label(self) -> str:
        """The name with the distribution it comes from."""
        return f"{self.name!r} ({' '.join(filter(None, (self.distribution, self.version)))})"


class PluginManager:
    """All plugins of this process. ``only`` names the entry points to load, None for all."""

    def __init__(self, only: Iterable[str] | None = None, strict: bool = False) -> None:
        self._pluggy = pluggy.PluginManager(spec.PROJECT)
        self._pluggy.add_hookspecs(spec)
        self._strict = strict
        self._deaf: set[str] = set()
        self._contributions: dict[str, dict[Kind, list[Spec]]] = {}
        self.plugins: dict[str, Plugin] = {}
        self._add(Plugin("backends", spec.PROJECT), lambda: importlib.import_module("nlptasks.backends"))
        self._add(Plugin("metrics", spec.PROJECT), lambda: importlib.import_module("nlptasks.metrics"))
        self._discover(None if only is None else set(only))

    def _discover(self, only: set[str] | None) -> None:
        off, found = state.disabled(), installed()
        chosen = [one for one in found if only is None or one.is_among(only)]
        for one in sorted(chosen, key=lambda one: one.is_among(off)):  # one that is switched off takes no name
            plugin, load = self._claim(Plugin(one.name, one.distribution, one.version, one.contract), one.load)
            if one.is_among(off):
                plugin.state = "disabled"
                self.plugins[plugin.name] = plugin
            else:
                self._try(plugin, load, f"; leave it out with: nlptasks plugins disable {plugin.name}")
        known = {one.name for one in found}
        for name in sorted((only or set()) - known - {one.full_name for one in found}):
            error = UnknownNameError("plugin", name, known)
            self._try(Plugin(name, "NLPTASKS_PLUGINS"), raising(error), "")

    def add_file(self, path: Path) -> None:
        """Load a single-file plugin.

        Raises:
            InputError: there is no such file.
            PluginError: it does not load; who names a file wants that file.
        """
        if not path.is_file():
            raise InputError(f"No such file: {path}")
        self._add(*self._claim(Plugin(path.stem, str(path)), lambda: local.load(path)))

    def _claim(self, plugin: Plugin, load: Callable[[], Any]) -> tuple[Plugin, Callable[[], Any]]:
        """Return plugin and loader; for one whose name is taken, under its full name and broken."""
        other = self.plugins.get(plugin.name)
        if other is None:
            return plugin, load
        error = PluginError(f"the name {other.name!r} is taken by {other.label}")
        return replace(plugin, name=f"{plugin.name}@{plugin.distribution}"), raising(error)

    def _try(self, plugin: Plugin, load: Callable[[], Any], advice: str) -> None:
        try:
            self._add(plugin, load)
        except PluginError as error:
            if self._strict:
                raise PluginError(f"{error}{advice}") from error
            log.warning(f"{error}{advice}")

    def _add(self, plugin: Plugin, load: Callable[[], Any]) -> None:
        self.plugins[plugin.name] = plugin
        started = time.perf_counter()
        try:
            with named_when_slow(plugin.label, plugin.name), stdout_aside(), offline():
                self._pluggy.register(load(), plugin.name)
                self._pluggy.check_pending()
                self._contributions[plugin.name] = self._collect(plugin)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # sys.exit, and the panics of compiled extensions, are no Exceptions
            if self._pluggy.has_plugin(plugin.name):
                self._pluggy.unregister(name=plugin.name)
            plugin.state, plugin.error = "broken", reason(error)
            raise PluginError(f"Plugin {plugin.label} cannot be used: {plugin.error}") from error
        finally:
            plugin.seconds = time.perf_counter() - started

    def _collect(self, plugin: Plugin) -> dict[Kind, list[Spec]]:
        return {
            kind: _checked(call(), f"register_{kind}s")
            for kind in KINDS
            for owner, call in self.implementations(f"register_{kind}s")
            if owner is plugin
        }

    def contributions(self, kind: Kind) -> Iterator[tuple[Plugin, Spec]]:
        """Yield the Specs of one kind with who contributes them."""
        for name, specs in self._contributions.items():
            for one in specs.get(kind, ()):
                yield self.plugins[name], one

    def implementations(self, hook: str) -> Iterator[tuple[Plugin, Callable[..., Any]]]:
        """Yield who implements ``hook``, in calling order, as functions of keyword arguments."""
        for impl in reversed(getattr(self._pluggy.hook, hook).get_hookimpls()):
            yield self.plugins[impl.plugin_name], _by_keyword(impl)

    def notify(self, hook: str, **arguments: Any) -> None:
        """Tell every observer. One that raises is warned of and told nothing more; its guards stay in force."""
        for plugin, call in self.implementations(hook):
            if plugin.name in self._deaf:
                continue
            try:
                with stdout_aside():
                    call(**arguments)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                self._deaf.add(plugin.name)
                message = f"Plugin {plugin.label} is told nothing more: {hook} raised {whereabouts(error)}"
                if self._strict:
                    raise PluginError(message) from None
                log.warning(message)

    def require(self, names: Iterable[str]) -> None:
        """Make sure that every named plugin is loaded.

        Raises:
            PluginError: one is not.
        """
        for name in names:
            plugin = self.plugins.get(name)
            if plugin is None or plugin.state != "loaded":
                why = plugin.error or plugin.state if plugin else "not installed, or left out by NLPTASKS_PLUGINS"
                raise PluginError(f"The required plugin {name!r} is not in service ({why}): nothing was run.")


@cache
def manager() -> PluginManager:
    """Return this process's plugins, found on the first call.

    ``NLPTASKS_PLUGINS=a,b`` loads these entry points only, ``NLPTASKS_STRICT_PLUGINS=1`` raises on a
    broken one.
    """
    names, strict = os.environ.get("NLPTASKS_PLUGINS"), os.environ.get("NLPTASKS_STRICT_PLUGINS", "")
    if strict not in ("", "0", "1"):
        raise ConfigError(f"NLPTASKS_STRICT_PLUGINS is 0 or 1, not {strict!r}")
    only = None if names is None else [name.strip() for name in names.split(",") if name.strip()]
    return PluginManager(only, strict == "1")


def _checked(result: Any, hook: str) -> list[Spec]:
    if not isinstance(result, Iterable):
        raise PluginError(f"{hook} returned a {type(result).__name__}, not a list of Specs")
    specs = list(result)
    for one in specs:
        if not isinstance(one, Spec):
            raise PluginError(f"{hook} returned a {type(one).__name__} among its Specs")
    for name in (names := [one.name for one in specs]):
        if names.count(name) > 1:
            raise PluginError(f"{hook} returned {name!r} twice")
    return specs


def _by_keyword(impl: Any) -> Callable[..., Any]:
    return lambda **arguments: impl.function(*(arguments[name] for name in impl.argnames))
