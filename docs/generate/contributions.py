"""The pages of tasks, backends and metrics, from what the plugins of nlptasks register."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from docs.generate.words import code, default_of, prose, sections, table, type_of
from nlptasks import GenerationOptions
from nlptasks.backends.factory import options_model
from nlptasks.cli import TaskCommand
from nlptasks.cli.params import Parameter, parameters
from nlptasks.plugin import registry
from nlptasks.plugin.registry import Entry

TASKS = """\
# Tasks

`nlptasks run TASK` runs any of them, `nlptasks tasks list` names those of your plugins too. A name in the tables is
a column of a batch file and an argument in Python; beside it stands the flag, where it has one. Columns that the
data call otherwise are named with `--map FIELD=COLUMN`.
"""
GENERATING = """\
## Options of every task that generates

What a model cannot honour is said once on stderr, and kept in the run.
"""
BACKENDS = """\
# Backends

A model is named `provider/model`; the provider is one of these. Its options are flags of every command with
`--model`, keyword arguments in Python, and keys below `[backends.PROVIDER]` in your own
[`nlptasks.toml`](settings.md#nlptaskstoml).
"""
METRICS = """\
# Metrics

`--metrics` takes names, with commas between; options follow a name after colons: `rouge:multi=best`. Scores are on
0–100 unless the name of a part says otherwise. All take `lang`, the language of the texts as a BCP-47 code; without
it, it is told by the data or detected. How to read them: [Evaluate](../guides/evaluation.md).
"""


def tasks() -> str:
    """Return the page of tasks."""
    flags = {one.column: one.flags for one in parameters(GenerationOptions, "option")}
    parts = [TASKS, GENERATING, _fields(GenerationOptions, flags)]
    for entry in registry().entries("task"):
        parts += _task(entry)
    return "\n".join(parts)


def _task(entry: Entry) -> Iterator[str]:
    task = registry().load("task", entry.spec.name)
    command = TaskCommand(entry.spec.name, entry.spec.name)
    command.make_context(entry.spec.name, ["--model", "echo", "--help"], resilient_parsing=True)
    found = command.sections
    yield f"## {entry.spec.name}\n"
    verb = f" On the command line also `nlptasks {entry.spec.verb}`." if entry.spec.verb else ""
    yield f"{_sentence(entry.spec.summary)}{verb}\n"
    yield f"References stand in the column `{task.reference_column}`." + (
        f" Scored by {code(*task.metrics)}.\n" if task.metrics else "\n"
    )
    yield "**Input**\n"
    yield _fields(task.Input, {found.first.column: ["the argument"], **_flags(found.input)})
    own = _fields(task.Options, _flags(found.options), leave_out=GenerationOptions)
    if own:
        yield f"**Options**\n\n{own}"
    if not issubclass(task.Options, GenerationOptions):
        yield "The options of generation are none of its.\n"
    yield "**Output**\n"
    yield sections(inspect.getdoc(task.Output))
    yield _fields(task.Output, {})


def _sentence(summary: str) -> str:
    return prose(summary[:1].upper() + summary[1:]) + "."


def _flags(found: Any) -> dict[str, list[str]]:
    return {one.column: one.flags for one in found if isinstance(one, Parameter)}


def _fields(model: type[BaseModel], flags: Mapping[str, list[str]], leave_out: type[BaseModel] | None = None) -> str:
    schema = model.model_json_schema(mode="validation" if flags else "serialization")
    known = leave_out.model_json_schema()["properties"] if leave_out and issubclass(model, leave_out) else {}
    rows = []
    for name, one in schema["properties"].items():
        if name not in known:
            flag = flags.get(name, [])
            shown = "" if not flag else flag[0] if not flag[0].startswith("--") else code(*flag)
            needed = " (required)" if flags and name in schema.get("required", ()) else ""
            rows.append((code(name), shown, type_of(one) + needed, default_of(one), prose(one.get("description"))))
    if flags:
        return table(("field", "flag", "type", "default", "meaning"), rows)
    return table(("field", "type", "meaning"), [(name, kind, meaning) for name, _, kind, _, meaning in rows])


def backends() -> str:
    """Return the page of backends."""
    parts = [BACKENDS]
    for entry in registry().entries("backend"):
        options = options_model(registry().load("backend", entry.spec.name))
        parts += [f"## {entry.spec.name}\n", _sentence(entry.spec.summary) + "\n"]
        if options is None:
            parts.append("It takes no options.\n")
        else:
            parts.append(_fields(options, {one.column: one.flags for one in parameters(options, "backend")}))
    return "\n".join(parts)


def metrics() -> str:
    """Return the page of metrics."""
    parts = [METRICS]
    for entry in registry().entries("metric"):
        kind = registry().load("metric", entry.spec.name)
        parts += [f"## {entry.spec.name}\n", sections(inspect.getdoc(kind))]
        options = [
            one for one in inspect.signature(kind.__init__).parameters.values() if one.name not in ("self", "lang")
        ]
        if options:
            parts.append(
                "Options and their defaults: " + code(*(f"{one.name}={one.default}" for one in options)) + ".\n"
            )
        if kind.columns:
            parts.append(f"Reads these columns too: {code(*kind.columns)}.\n")
        if kind.citation:
            parts.append(prose(kind.citation) + "\n")
    return "\n".join(parts)
