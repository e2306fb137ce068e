"""From a name to the thing itself: what all plugins contribute, looked up by kind."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from nlptasks.errors import CollisionError, MissingExtraError, NLPTasksError, PluginError, UnknownNameError
from nlptasks.plugin.isolation import reason, stdout_aside
from nlptasks.plugin.manager import Plugin, PluginManager, manager
from nlptasks.plugin.spec import KINDS as KINDS
from nlptasks.plugin.spec import Kind as Kind
from nlptasks.plugin.spec import Spec


@dataclass(frozen=True)
class Entry:
    """A Spec with the plugin it came from."""

    spec: Spec
    plugin: Plugin


class Registry:
    """The Specs of all plugins."""

    def __init__(self, plugins: PluginManager) -> None:
        self.plugins = plugins

    def entries(self, kind: Kind) -> list[Entry]:
        """Return everything of one kind, sorted by name."""
        found = [Entry(spec, plugin) for plugin, spec in self.plugins.contributions(kind)]
        return sorted(found, key=lambda entry: entry.spec.name)

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
            raise UnknownNameError(kind, name, [entry.spec.name for entry in entries], switched_off(hint))
        if len(found) > 1:
            claims = " and ".join(entry.plugin.label for entry in found)
            choices = " or ".join(f"{entry.plugin.name}:{bare}" for entry in found)
            raise CollisionError(f"The {kind} {bare!r} is claimed by {claims}: say {choices}.")
        return found[0]

    def load(self, kind: Kind, name: str) -> Any:
        """Import what ``name`` stands for.

        Raises:
            UnknownNameError, CollisionError: as ``find``.
            MissingExtraError, PluginError: as ``in_use``.
        """
        return load_target(self.find(kind, name), kind)


@cache
def registry() -> Registry:
    """Return this process's registry."""
    return Registry(manager())


def switched_off(hint: str) -> str:
    """Return ``hint``, and which plugins are switched off, one of which may be what is missed."""
    names = [plugin.name for plugin in manager().plugins.values() if plugin.state == "disabled"]
    return f"{hint}. Disabled: {', '.join(names)} (nlptasks plugins enable NAME)" if names else hint


def load_target(entry: Entry, kind: Kind) -> Any:
    """Import the target of an entry; see ``Registry.load``."""
    module, _, attribute = entry.spec.target.partition(":")
    with in_use(entry, kind):
        return getattr(importlib.import_module(module), attribute)


@contextmanager
def in_use(entry: Entry, kind: Kind) -> Iterator[None]:
    """Run a plugin's own code for something it contributes; its prints go to stderr.

    Raises:
        MissingExtraError: it needs a package that is not installed, and its Spec names the extra.
        PluginError: anything else went wrong that is no NLPTasksError.
    """
    what = f"The {kind} {entry.spec.name!r} of plugin {entry.plugin.label}"
    try:
        with stdout_aside():
            yield
    except (NLPTasksError, KeyboardInterrupt):
        raise
    except BaseException as error:
        if entry.spec.requires and isinstance(error, ModuleNotFoundError) and not _is_its_own(error, entry.spec):
            raise MissingExtraError(what, entry.spec.requires, entry.plugin.distribution) from error
        raise PluginError(f"{what} cannot be used: {reason(error)}") from error


def _is_its_own(error: ModuleNotFoundError, spec: Spec) -> bool:
    """Whether the missing module is one that the plugin itself should have brought."""
    top = spec.target.partition(":")[0].partition(".")[0]
    return error.name is not None and error.name.partition(".")[0] == top
