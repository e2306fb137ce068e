"""``tasks``, ``backends``, ``metrics`` and ``benchmarks``: ``list`` and ``show``, the same for all."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click

from nlptasks.cli import console

if TYPE_CHECKING:
    from nlptasks.plugin.registry import Entry, Kind


def _group(kind: Kind, plural: str) -> click.Group:
    @click.group(plural, help=f"Show the {plural} there are.")
    def group() -> None:
        pass

    @group.command("list", help=f"List the {plural}. Nothing is imported for it.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    def list_(as_json: bool) -> None:
        from nlptasks.plugin import registry

        entries = registry().entries(kind)
        if as_json:
            console.say_json([_brief(entry) for entry in entries])
        else:
            console.table(
                ("name", "summary", "plugin"), [(e.spec.name, e.spec.summary, e.plugin.name) for e in entries]
            )

    @group.command("show", help=f"Show one of the {plural}.")
    @click.argument("name")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    def show(name: str, as_json: bool) -> None:
        from nlptasks.plugin import registry

        entry = registry().find(kind, name)
        details = {**_brief(entry), **DETAILS[kind](registry().load(kind, name))}
        if as_json:
            console.say_json(details)
        else:
            console.facts(_flat(details))

    return group


def _brief(entry: Entry) -> dict[str, Any]:
    found = {"name": entry.spec.name, "summary": entry.spec.summary, "plugin": entry.plugin.name}
    distribution = f"{entry.plugin.distribution} {entry.plugin.version}".strip()
    optional = {"verb": entry.spec.verb, "requires": entry.spec.requires}
    return {**found, "distribution": distribution, **{key: value for key, value in optional.items() if value}}


def _task(kind: Any) -> dict[str, Any]:
    return {
        "version": kind.version,
        "metrics": list(kind.metrics),
        "reference_column": kind.reference_column,
        "input": kind.Input.model_json_schema(),
        "options": kind.Options.model_json_schema(),
        "output": kind.Output.model_json_schema(mode="serialization"),
    }


def _backend(load: Any) -> dict[str, Any]:
    from nlptasks.backends.factory import backend_class, options_model

    model = options_model(load)
    return {"options": {} if model is None else model.model_json_schema(), **backend_class(load).about()}


def _metric(kind: Any) -> dict[str, Any]:
    options = {name: one for name, one in inspect.signature(kind.__init__).parameters.items() if name != "self"}
    return {
        "version": kind.version,
        "options": [f"{name}={one.default}" for name, one in options.items()],
        "columns": list(kind.columns),
        "reads_references": kind.reads_references,
        "description": " ".join((inspect.getdoc(kind) or "").split()),
        "citation": kind.citation,
    }


def _benchmark(benchmark: Any) -> dict[str, Any]:
    facts = {one.name: getattr(benchmark, one.name) for one in fields(benchmark) if one.name not in ("name", "expand")}
    shown = {name: value for name, value in facts.items() if value}
    lists = {name: list(value) for name, value in shown.items() if isinstance(value, tuple)}
    maps = {name: [f"{k}={v}" for k, v in value.items()] for name, value in shown.items() if isinstance(value, dict)}
    return {**shown, **lists, **maps}


DETAILS: dict[Kind, Any] = {"task": _task, "backend": _backend, "metric": _metric, "benchmark": _benchmark}


def _flat(details: dict[str, Any]) -> dict[str, str]:
    """Turn JSON schemas into a line for each field."""
    lines = {}
    for name, value in details.items():
        if isinstance(value, dict):
            for field, schema in value.get("properties", {}).items():
                lines[f"{name}.{field}"] = f"{_type(schema)}  {schema.get('description', '')}".strip()
        else:
            lines[name] = ", ".join(value) if isinstance(value, list) else value
    return lines


def _type(schema: dict[str, Any]) -> str:
    kinds = schema.get("anyOf", [schema])
    names = [str(kind.get("type") or "|".join(map(str, kind.get("enum", ["object"])))) for kind in kinds]
    default = f" (default {schema['default']})" if schema.get("default") not in (None, "", []) else ""
    return "|".join(name for name in names if name != "null") + default


tasks = _group("task", "tasks")
backends = _group("backend", "backends")
metrics = _group("metric", "metrics")
benchmarks = _group("benchmark", "benchmarks")
