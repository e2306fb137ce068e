"""The checks of one plugin: a contract for each thing that it contributes, and those of the plugin as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import click
import pytest

import nlptasks.testing
from nlptasks.cli.main import VERBS
from nlptasks.plugin import manager, registry
from nlptasks.plugin.isolation import SLOW_SECONDS
from nlptasks.plugin.manager import Plugin
from nlptasks.plugin.registry import Entry
from nlptasks.plugin.spec import KINDS, ROLES
from nlptasks.records import Completion, Delta, Message, Request
from nlptasks.testing.contracts.plugin import PluginContract, require
from nlptasks.testing.probe import Findings, probe

SHARED = [name for name in vars(PluginContract) if name.startswith("test_")]
TEXTS = ("Mail ada@example.org, or call +49 30 1234567.", "请打电话给王小明。", "Schreib an Jürgen Müller.")


class NamedChecks(PluginContract):
    """What is asked of each thing by the side of its contract."""

    what: ClassVar[str]

    @property
    def entry(self) -> Entry:
        """Return the Spec of the plugin, which is loaded."""
        return registry().find(self.kind, self.name)

    def test_its_name_is_its_own(self) -> None:
        """Its name and its verb are no other's."""
        spec, own = self.entry.spec, self.entry.plugin.name
        for other in registry().entries(self.kind):
            clash = other.spec.name == spec.name and other.plugin.name != own
            require(not clash, f"{other.plugin.label} has a {self.kind} {spec.name!r} too: choose another name")
        require(spec.verb not in VERBS, f"`nlptasks {spec.verb}` is a tool already: choose another verb")


class CommandChecks(NamedChecks):
    """The checks of a command."""

    kind = "command"

    def test_it_is_a_command(self) -> None:
        """It is a click.Command with a help text."""
        found = self.target
        require(isinstance(found, click.Command), f"{self.entry.spec.target} is no click.Command: decorate it so")
        require(found.help, f"{self.entry.spec.target} has no help: give its function a docstring")


class PluginChecks(PluginContract):
    """The checks of a plugin as a whole: those that all contracts share, and two more."""

    what = "plugin"
    plugin: ClassVar[Plugin]
    test_it_is_registered = None  # type: ignore[assignment]

    @property
    def findings(self) -> Findings:
        __tracebackhide__ = True
        found = probe(self.plugin.name, self.plugin_file)
        require(not found.error, f"it does not load by itself: {found.error}")
        return found

    def test_it_contributes(self) -> None:
        """It contributes something: a thing by name, a guard or an observer."""
        given = any(plugin is self.plugin for kind in KINDS for plugin, _ in manager().contributions(kind))
        roles = any(_hook(self.plugin, hook) for hooks in ROLES.values() for hook in hooks)
        require(
            given or roles, "no hook of it returns a Spec: mark functions with @hookimpl in the entry point's module"
        )

    def test_it_loads_quickly(self) -> None:
        """It loads before users are warned that it is slow."""
        seconds = self.plugin.seconds
        late = "import what takes long in the module that a Spec's target names"
        require(seconds < SLOW_SECONDS, f"it takes {seconds:.1f} seconds to load, more than {SLOW_SECONDS:g}: {late}")


class GuardChecks:
    """The checks of a guard."""

    what = "guard"
    plugin: ClassVar[Plugin]

    def test_it_guards_requests(self) -> None:
        """Its before_generate gives a request and a state, for texts of any language."""
        before = _hook(self.plugin, "before_generate") or pytest.skip("it has no before_generate")
        for text in TEXTS:
            result = before(request=_request(text))
            right = isinstance(result, tuple) and len(result) == 2 and isinstance(result[0], Request)
            require(right, f"before_generate gives a {type(result).__name__}: return a tuple (request, state)")

    def test_it_guards_answers(self) -> None:
        """Its after_generate gives a completion."""
        after = _hook(self.plugin, "after_generate") or pytest.skip("it has no after_generate")
        for text in TEXTS:
            result = after(completion=Completion(text), state=self._state(text))
            right = isinstance(result, Completion)
            require(right, f"after_generate gives a {type(result).__name__}: return a Completion")

    def test_it_guards_streams(self) -> None:
        """Its during_generate gives the pieces of an answer."""
        during = _hook(self.plugin, "during_generate") or pytest.skip("it has no during_generate")
        for text in TEXTS:
            pieces = during(deltas=map(Delta, text), state=self._state(text))
            right = isinstance(pieces, Iterable) and all(isinstance(one, Delta) for one in pieces)
            require(right, "during_generate gives something else than Deltas: yield Delta(text)")

    def _state(self, text: str) -> Any:
        before = _hook(self.plugin, "before_generate")
        return before(request=_request(text))[1] if before else None


def cases(plugin: Plugin, file: Path | None, model: str) -> Iterator[type]:
    """Yield the pytest classes that check a plugin, which is the single file ``file`` or else installed.

    ``model`` is what follows the name of its backends.
    """
    yield type("TestPlugin", (PluginChecks,), {"plugin": plugin, "plugin_file": file})
    once = dict.fromkeys(name for name in SHARED if name != "test_it_is_registered")
    for kind in KINDS:
        bases: tuple[type, ...] = (CommandChecks,)
        if kind != "command":
            bases = (NamedChecks, getattr(nlptasks.testing, f"{kind.capitalize()}Contract"))
        specs = [entry.spec for entry in registry().entries(kind) if entry.plugin is plugin]
        for number, spec in enumerate(specs):
            told: dict[str, Any] = {
                "name": f"{plugin.name}:{spec.name}",
                "plugin_file": file,
                "what": f"{kind} {spec.name}",
            }
            told |= {"model": model} if kind == "backend" else {}
            yield type(f"Test{kind.capitalize()}{number}", bases, {**once, **told})
    if any(_hook(plugin, hook) for hook in ROLES["guard"]):
        yield type("TestGuard", (GuardChecks,), {"plugin": plugin})


def _hook(plugin: Plugin, hook: str) -> Callable[..., Any] | None:
    return next((call for owner, call in manager().implementations(hook) if owner is plugin), None)


def _request(text: str) -> Request:
    return Request((Message("user", text),), fields={"text": text})
