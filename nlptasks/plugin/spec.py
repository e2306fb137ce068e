"""What a plugin may contribute: the hooks, and the Spec by which it names a thing without importing it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pluggy

from nlptasks.errors import PluginError

if TYPE_CHECKING:
    from nlptasks.records import Completion, Delta, Record, Request

PROJECT = "nlptasks"
CONTRACTS = range(1, 2)
"""The versions of the contract that this nlptasks keeps. A plugin's entry-point group names the one it was written
for: ``nlptasks`` is 1, ``nlptasks.2`` is 2, and so on."""
NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")

Kind = Literal["task", "backend", "metric", "benchmark", "command"]
KINDS: tuple[Kind, ...] = ("task", "backend", "metric", "benchmark", "command")
ROLES = {
    "guard": ("before_generate", "during_generate", "after_generate"),
    "observer": ("run_started", "sample_finished", "run_finished"),
}
"""What a plugin can be beside what it contributes by name, and the hooks that make it that."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True)
class Spec:
    """A thing a plugin contributes, imported only when it is used.

    ``target`` is ``"package.module:attribute"``. ``requires`` names the extra of the plugin's
    distribution that brings what the thing needs. ``verb`` (tasks only) is its own command name.

    Raises:
        PluginError: a name, the target or the summary is malformed.
    """

    name: str
    target: str
    summary: str = ""
    requires: str = ""
    verb: str = ""

    def __post_init__(self) -> None:
        for field, value in vars(self).items():
            if not isinstance(value, str):
                raise PluginError(f"the {field} of a Spec is a str, not a {type(value).__name__}")
        for name in (self.name, *filter(None, [self.verb])):
            if not NAME.fullmatch(name):
                raise PluginError(f"the name {name!r} is not of the form {NAME.pattern}")
        if not TARGET.fullmatch(self.target):
            raise PluginError(f"the target of {self.name!r} is 'module:attribute', not {self.target!r}")
        if len(self.summary.splitlines()) > 1:
            raise PluginError(f"the summary of {self.name!r} is more than one line")


@hookspec
def register_tasks() -> Sequence[Spec]:  # type: ignore[empty-body]
    """Contribute tasks: each target is a Task class."""


@hookspec
def register_backends() -> Sequence[Spec]:  # type: ignore[empty-body]
    """Contribute backends: each target is called with (model, options) and returns a Backend."""


@hookspec
def register_metrics() -> Sequence[Spec]:  # type: ignore[empty-body]
    """Contribute metrics: each target is an evaluate.Metric class."""


@hookspec
def register_benchmarks() -> Sequence[Spec]:  # type: ignore[empty-body]
    """Contribute benchmarks: each target is a Benchmark."""


@hookspec
def register_commands() -> Sequence[Spec]:  # type: ignore[empty-body]
    """Contribute commands: each target is a click.Command."""


@hookspec
def run_started(run: Any) -> None:
    """A run began."""


@hookspec
def sample_finished(record: Record) -> None:
    """A sample of a run has its prediction or its failure."""


@hookspec
def run_finished(run: Any) -> None:
    """A run ended, whatever its status."""


@hookspec
def before_generate(request: Request) -> tuple[Request, Any]:  # type: ignore[empty-body]
    """Guard: return the request to send in place of this one, and a state for ``after_generate``."""


@hookspec
def during_generate(deltas: Iterator[Delta], state: Any) -> Iterable[Delta]:  # type: ignore[empty-body]
    """Guard: yield the pieces of a streamed answer to show so far; together they begin what ``after_generate`` will
    return. Without this hook an answer is shown when it is whole."""


@hookspec
def after_generate(completion: Completion, state: Any) -> Completion:  # type: ignore[empty-body]
    """Guard: return the completion to use in place of this one; ``state`` is what ``before_generate`` gave."""
