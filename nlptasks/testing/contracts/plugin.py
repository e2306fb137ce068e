"""What is asked of every plugin: that naming what it contributes costs nothing and touches nothing."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import pytest

from nlptasks.errors import NLPTasksError, UnknownNameError
from nlptasks.plugin import manager, registry
from nlptasks.plugin.registry import Entry
from nlptasks.plugin.spec import Kind
from nlptasks.testing.probe import Findings, probe


def require(holds: object, mend: str) -> None:
    """Fail the test where something does not hold; see ``fail``."""
    __tracebackhide__ = True
    if not holds:
        fail(mend)


def fail(mend: str) -> NoReturn:
    """Fail the test in one line, without a traceback: it says what to mend."""
    __tracebackhide__ = True
    raise pytest.fail.Exception(mend, pytrace=False) from None


def without_options(metric: str) -> str:
    """Return the name of a metric that may be given with options: "chrf" of "chrf:word_order=2"."""
    return re.split(r":(?=\w+=)", metric, maxsplit=1)[0]


class PluginContract:
    """The checks that all kinds share. A subclass says the ``name`` under which its thing is registered.

    ``plugin_file`` is for a plugin that is a single file; any other is found because it is installed.
    """

    kind: ClassVar[Kind]
    name: ClassVar[str] = ""
    plugin_file: ClassVar[Path | None] = None

    @property
    def entry(self) -> Entry:
        """Return the registered Spec, with the plugin it came from."""
        __tracebackhide__ = True
        require(self.name, f"say in {type(self).__name__} what is tested: name = 'the registered name'")
        if self.plugin_file:
            _add(self.plugin_file)
        try:
            return registry().find(self.kind, self.name)
        except UnknownNameError as error:
            broken = [f"{one.label}: {one.error}" for one in manager().plugins.values() if one.state == "broken"]
            why = f"; these plugins do not load: {'; '.join(broken)}" if broken else ""
            fail(f"{error} Is its package installed (pip install -e .)?{why}")
        except NLPTasksError as error:
            fail(str(error))

    @property
    def full_name(self) -> str:
        """Return the registered name with its plugin's: no other has the same."""
        return f"{self.entry.plugin.name}:{self.entry.spec.name}"

    @property
    def target(self) -> Any:
        """Return what the Spec names, imported."""
        __tracebackhide__ = True
        name = self.full_name
        try:
            return registry().load(self.kind, name)
        except NLPTasksError as error:
            fail(str(error))

    @property
    def findings(self) -> Findings:
        """Return what loading the plugin does."""
        __tracebackhide__ = True
        plugin = self.entry.plugin
        found = probe(plugin.name, self.plugin_file)
        require(not found.error, f"the plugin {plugin.name!r} does not load by itself: {found.error}")
        return found

    def test_it_is_registered(self) -> None:
        """It is registered, can be imported, and has a one-line summary for the lists."""
        spec = self.entry.spec
        require(spec.summary, f"give the Spec of {spec.name!r} a summary: it is what `{self.kind}s list` shows")
        require(self.target is not None, f"{spec.target} is None")

    def test_loading_imports_no_other_package(self) -> None:
        """Loading the plugin imports nothing but itself, so that --help stays quick."""
        if self.plugin_file:
            pytest.skip("a single file is loaded only where it is named")
        found = self.findings.imported
        require(
            not found,
            f"loading the plugin imports {', '.join(found)}: keep hooks and Specs in the entry point's module, and "
            "what needs more in the module that a Spec's target names",
        )

    def test_loading_does_nothing(self) -> None:
        """Loading the plugin writes no file, starts no process and uses no network."""
        done = self.findings.loading
        require(not done, f"when the plugin is imported, {'; '.join(done)}: do that where it is used")

    def test_register_hooks_do_no_io(self) -> None:
        """Its register hooks read and write no file, start no process and use no network."""
        for hook, done in self.findings.hooks.items():
            require(not done, f"in {hook}, {'; '.join(done)}: a register hook returns Specs and does nothing else")

    def test_register_hooks_say_the_same_twice(self) -> None:
        """Its register hooks return the same Specs whenever they are called."""
        found = self.findings.unstable
        require(not found, f"{', '.join(found)} gave other Specs the second time: return the same list always")

    def test_loading_prints_nothing(self) -> None:
        """Loading the plugin prints nothing: only answers belong on stdout."""
        printed = self.findings.printed
        require(not printed, f"loading the plugin prints {printed[:60]!r}: use logging.getLogger('nlptasks') instead")


@cache
def _add(file: Path) -> None:
    manager().add_file(file)
