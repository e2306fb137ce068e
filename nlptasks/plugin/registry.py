"""From a name to the thing itself: what all plugins contribute, looked up by kind."""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from nlptasks.errors import CollisionError, MissingExtraError, PluginError, UnknownNameError
from nlptasks.plugin.manager import Plugin, PluginManager, manager
from nlptasks.plugin.spec import Spec

Kind = Literal["task", "backend", "metric", "benchmark", "command"]
KINDS: tuple[Kind, ...] = ("task", "backend", "metric", "benchmark", "command")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True)
class Entry:
    """A Spec with the plugin it came from."""

    spec: Spec
    plugin: Plugin


class Registry:
    """The Specs of all plugins."""

    def __init__(self, plugins: PluginManager) -> None:
        self.plugins = plugins
        self._entries: dict[Kind, list[Entry]] = {}

    def entries(self, kind: Kind) -> list[Entry]:
        """Return everything of one kind, sorted by name."""
        if kind not in self._entries:
            self._entries[kind] = sorted(self._collect(kind), key=lambda entry: entry.spec.name)
        return self._entries[kind]

    def _collect(self, kind: Kind) -> Iterator[Entry]:
        for plugin, specs in self.plugins.collect(f"register_{kind}s"):
            try:
                checked = [_checked(spec, kind) for spec in specs]
            except (PluginError, TypeError) as error:
                self.plugins.drop(plugin, error)
            else:
                yield from (Entry(spec, plugin) for spec in checked)

    def find(self, kind: Kind, name: str) -> Entry:
        """Return the one entry called ``name``, or ``plugin:name``.

        Raises:
            UnknownNameError: nothing has that name.
            CollisionError: more than one plugin has it.
        """
        owner, _, bare = name.rpartition(":")
        entries = self.entries(kind)
        found = [e for e in entries if e.spec.name == bare and owner in ("", e.plugin.name)]
        if not found:
            hint = f"See: nlptasks {kind}s list" if kind != "command" else "See: nlptasks --help"
            raise UnknownNameError(kind, name, [entry.spec.name for entry in entries], hint)
        if len(found) > 1:
            claims = " and ".join(entry.plugin.label for entry in found)
            choices = " or ".join(f"{entry.plugin.name}:{bare}" for entry in found)
            raise CollisionError(f"The {kind} {bare!r} is claimed by {claims}: say {choices}.")
        return found[0]

    def load(self, kind: Kind, name: str) -> Any:
        """Import what ``name`` stands for.

        Raises:
            UnknownNameError, CollisionError: as ``find``.
            MissingExtraError: it needs a package that is not installed.
            PluginError: its target cannot be imported.
        """
        return load_target(self.find(kind, name), kind)


@cache
def registry() -> Registry:
    """Return this process's registry."""
    return Registry(manager())


def load_target(entry: Entry, kind: Kind) -> Any:
    """Import the target of an entry; see ``Registry.load``."""
    module, _, attribute = entry.spec.target.partition(":")
    what = f"The {kind} {entry.spec.name!r} of plugin {entry.plugin.label}"
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        if entry.spec.requires and not module.startswith(error.name or "\0"):
            raise MissingExtraError(what, entry.spec.requires, entry.plugin.distribution) from error
        raise PluginError(f"{what} cannot be imported: {error}") from error
    except (Exception, SystemExit) as error:
        raise PluginError(f"{what} cannot be imported: {type(error).__name__}: {error}") from error


def _checked(spec: Any, kind: Kind) -> Spec:
    if not isinstance(spec, Spec):
        raise PluginError(f"register_{kind}s returned {spec!r}, which is no Spec")
    for name in filter(None, (spec.name, spec.verb)):
        if not NAME.fullmatch(name):
            raise PluginError(f"the {kind} name {name!r} is not of the form {NAME.pattern}")
    if not spec.name or not TARGET.fullmatch(spec.target):
        raise PluginError(f"the {kind} {spec.name!r} needs a name and a target 'module:attribute', not {spec.target!r}")
    return spec
