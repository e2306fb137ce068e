"""The pages of hooks, of the Python names and of errors, from signatures and docstrings."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import nlptasks
from docs.generate.words import attribute_docs, code, module_docs, prose, sections, table
from nlptasks import errors
from nlptasks import fields as field_types
from nlptasks.cli.exits import Exit
from nlptasks.plugin import spec

HOOKS = """\
# Hooks

A plugin is a module or package that implements any of these functions, each marked with `@nlptasks.hookimpl`. It is
found through the entry-point group `nlptasks` of its distribution, or loaded by `--plugin-file`. A hook may leave out
arguments that it does not need. How to write one: [a task](../tutorials/task.md), [a backend](../tutorials/backend.md),
[a metric](../tutorials/metric.md), [a benchmark](../tutorials/benchmark.md), [a guard](../tutorials/guard.md).

What holds for all of them:

- Each is called by itself. One that raises, prints or calls `sys.exit` makes its plugin *broken*: a line of warning,
  shown by `nlptasks plugins list`, and everything else goes on. Guards are the exception: where one fails, the
  request is not sent.
- A function named like no hook, but marked as one, makes its plugin broken: it is a spelling mistake.
- `register_…` hooks do no work: no file, no socket, no heavy import. They name things, which are imported when used.
"""
PYTHON = """\
# Python

All public names; `import nlptasks` costs nothing, each is imported when it is first used. Arguments that a task
takes: [Tasks](tasks.md); that a backend takes: [Backends](backends.md).
"""
ERRORS = """\
# Errors and exit codes

A mistake is one line on stderr that says what to do next; `--traceback`, anywhere in a command, shows where it came
from. In Python each is an exception below `nlptasks.NLPTasksError`:
"""


OWN_WORDS = {**module_docs(field_types), "hookimpl": "Marks a function of a plugin as a [hook](hooks.md)."}
"""For names whose docstring is not theirs: that of an annotated type is Python's, that of the marker pluggy's."""


def hooks() -> str:
    """Return the page of hooks."""
    names = [name for name, one in vars(spec).items() if hasattr(one, f"{spec.PROJECT}_spec")]
    parts = [HOOKS]
    for name in names:
        parts += [f"## {name}\n", _signature(name, getattr(spec, name)), sections(getattr(spec, name).__doc__)]
    parts += ["## Spec\n", _signature("Spec", spec.Spec), sections(spec.Spec.__doc__)]
    return "\n".join(parts)


def python() -> str:
    """Return the page of public names."""
    things = {name: getattr(nlptasks, name) for name in nlptasks.__all__}
    errors_apart = {name: one for name, one in things.items() if not _is(one, BaseException)}
    parts = [part for name, one in errors_apart.items() for part in _name(name, one)]
    return "\n".join([PYTHON, *parts, "## Errors\n", "All are drawn on the page of [errors](errors.md).\n"])


def _name(name: str, thing: Any) -> Iterator[str]:
    yield f"## {name}\n"
    if inspect.isfunction(thing) or is_dataclass(thing):
        yield _signature(name, thing)
    yield sections(OWN_WORDS.get(name) or inspect.getdoc(thing))
    if _is(thing, enum.Enum):
        yield f"One of {code(*(one.value for one in thing))}.\n"
    elif isinstance(thing, type) and not is_dataclass(thing):
        yield _members(thing)


def _is(thing: Any, kind: type) -> bool:
    return isinstance(thing, type) and issubclass(thing, kind)


def error_page() -> str:
    """Return the page of errors and exit codes."""
    tree = inspect.cleandoc(errors.__doc__ or "").partition("\n\n")[2]
    codes = table(("code", "meaning"), [(code(str(one.value)), prose(one.meaning)) for one in Exit])
    return "\n".join([ERRORS, f"```text\n{tree}\n```\n", "## Exit codes\n", codes])


def _signature(name: str, thing: Any) -> str:
    if is_dataclass(thing):
        lines = [f"    {one.name}: {one.type}" for one in fields(thing)]
        return "\n".join(["```python", f"class {name}:", *lines, "```\n"])
    found = inspect.signature(thing)
    bare = [one.replace(annotation=_Written(one.annotation)) for one in found.parameters.values()]
    shown = f"def {name}{found.replace(parameters=bare, return_annotation=_Written(found.return_annotation))}"
    if len(shown) > 110:
        inner = ",\n    ".join(_marked(bare))
        shown = f"def {name}(\n    {inner},\n) -> {found.return_annotation}"
    return f"```python\n{shown}\n```\n"


class _Written:
    """An annotation as it is written, which is a string; printed without the quotes."""

    def __init__(self, annotation: str) -> None:
        self.annotation = annotation

    def __repr__(self) -> str:
        return self.annotation


def _marked(parameters: Sequence[inspect.Parameter]) -> list[str]:
    """Return the parameters as they are declared, with the ``*`` before those that are given by name."""
    found, star = [], False
    for one in parameters:
        if one.kind is one.KEYWORD_ONLY and not star:
            found.append("*")
        star = star or one.kind in (one.KEYWORD_ONLY, one.VAR_POSITIONAL)
        found.append(str(one))
    return found


def _members(kind: type) -> str:
    docs = attribute_docs(kind)
    own = [(name, one) for name, one in vars(kind).items() if not name.startswith("_") and inspect.isfunction(one)]
    methods = [(code(name + _arguments(one)), prose((one.__doc__ or "").split("\n\n")[0])) for name, one in own]
    return "\n".join(
        [
            table(("attribute", "meaning"), [(code(name), meaning) for name, meaning in docs.items()]),
            table(("method", "what it does"), [(name, meaning) for name, meaning in methods if meaning]),
        ]
    )


def _arguments(method: Callable[..., Any]) -> str:
    names = [one.name for one in inspect.signature(method).parameters.values() if one.name != "self"]
    return f"({', '.join(names)})"
