"""Finds plugins and calls their hooks, each by itself: a broken plugin is a line of warning, no more."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pluggy

from nlptasks.errors import ConfigError, PluginError, UnknownNameError
from nlptasks.plugin import local, spec, state

log = logging.getLogger("nlptasks")
SLOW_SECONDS = 3.0
DISTRIBUTION = "nlptasks"


@dataclass
class Plugin:
    """One plugin as ``plugins list`` shows it; ``state`` is loaded, broken or disabled."""

    name: str
    distribution: str
    version: str = ""
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
        self.plugins: dict[str, Plugin] = {}
        self._add(Plugin("backends", DISTRIBUTION), lambda: __import__("nlptasks.backends", fromlist=["*"]))
        self._discover(None if only is None else set(only))

    def _discover(self, only: set[str] | None) -> None:
        disabled = state.disabled()
        found = sorted(entry_points(group=spec.PROJECT), key=lambda e: (_origin(e)[0] != DISTRIBUTION, e.name))
        for entry in found:
            if only is not None and entry.name not in only:
                continue
            plugin = Plugin(entry.name, *_origin(entry))
            if entry.name in disabled and entry.name not in self.plugins:
                plugin.state = "disabled"
                self.plugins[entry.name] = plugin
            else:
                self._add(plugin, entry.load)
        for name in sorted((only or set()) - {entry.name for entry in found}):
            error = UnknownNameError("plugin", name, [entry.name for entry in found])
            self._broken(Plugin(name, "NLPTASKS_PLUGINS"), error)

    def add_file(self, path: Path) -> None:
        """Load a single-file plugin.

        Raises:
            PluginError: it does not load; who names a file wants that file.
        """
        plugin = Plugin(path.stem, str(path))
        self._add(plugin, lambda: local.load(path))
        if plugin.state == "broken":
            raise PluginError(f"{path}: {plugin.error}")

    def _add(self, plugin: Plugin, load: Callable[[], Any]) -> None:
        if plugin.name in self.plugins:
            other = self.plugins[plugin.name]
            twin = Plugin(f"{plugin.name}@{plugin.distribution}", plugin.distribution, plugin.version)
            self._broken(twin, PluginError(f"the name {plugin.name!r} is taken by {other.label}"))
            plugin.state, plugin.error = twin.state, twin.error
            return
        self.plugins[plugin.name] = plugin
        started = time.perf_counter()
        try:
            with _named_when_slow(plugin), contextlib.redirect_stdout(sys.stderr):
                self._pluggy.register(load(), plugin.name)
                self._pluggy.check_pending()
        except (Exception, SystemExit) as error:
            if self._pluggy.has_plugin(plugin.name):
                self._pluggy.unregister(name=plugin.name)
            self._broken(plugin, error)
        plugin.seconds = time.perf_counter() - started

    def _broken(self, plugin: Plugin, error: BaseException) -> None:
        self.plugins[plugin.name] = plugin
        plugin.state, plugin.error = "broken", _one_line(error)
        if self._strict:
            raise PluginError(f"Plugin {plugin.label}: {plugin.error}") from error
        log.warning("Plugin %s is left out: %s", plugin.label, plugin.error)

    def implementations(self, hook: str) -> Iterator[tuple[Plugin, Callable[..., Any]]]:
        """Yield who implements ``hook``, in calling order, as functions of keyword arguments."""
        for impl in reversed(getattr(self._pluggy.hook, hook).get_hookimpls()):
            yield self.plugins[impl.plugin_name], _by_keyword(impl)

    def collect(self, hook: str) -> Iterator[tuple[Plugin, Any]]:
        """Call ``hook`` of every plugin by itself; one that raises is broken from then on."""
        for plugin, call in list(self.implementations(hook)):
            try:
                with _named_when_slow(plugin), contextlib.redirect_stdout(sys.stderr):
                    result = call()
            except (Exception, SystemExit) as error:
                self.drop(plugin, error)
            else:
                yield plugin, result

    def notify(self, hook: str, **arguments: Any) -> None:
        """Tell every observer; one that raises is warned of and told nothing more."""
        for plugin, call in list(self.implementations(hook)):
            try:
                call(**arguments)
            except Exception as error:
                self.drop(plugin, error)

    def drop(self, plugin: Plugin, error: BaseException) -> None:
        """Take a plugin that broke its contract out of service."""
        self._pluggy.unregister(name=plugin.name)
        self._broken(plugin, error)

    def require(self, names: Iterable[str]) -> None:
        """Make sure that every named plugin is loaded.

        Raises:
            PluginError: one is not.
        """
        for name in names:
            plugin = self.plugins.get(name)
            if plugin is None or plugin.state != "loaded":
                why = plugin.error or plugin.state if plugin else "it is not installed"
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


def _origin(entry: EntryPoint) -> tuple[str, str]:
    return (entry.dist.name, entry.dist.version) if entry.dist else ("unknown", "")


def _by_keyword(impl: Any) -> Callable[..., Any]:
    return lambda **arguments: impl.function(*(arguments[name] for name in impl.argnames))


def _one_line(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"it called sys.exit({error.code!r})"
    text = " ".join(str(error).split())
    return text if isinstance(error, PluginError | UnknownNameError) else f"{type(error).__name__}: {text}"


@contextlib.contextmanager
def _named_when_slow(plugin: Plugin) -> Iterator[None]:
    advice = "Plugin %s is slow to load; leave it out with: nlptasks plugins disable %s"
    timer = threading.Timer(SLOW_SECONDS, log.warning, (advice, plugin.label, plugin.name))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
