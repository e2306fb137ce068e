"""The page: the figures as HTML and SVG, the samples as compressed JSON that its script shows."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Mapping
from datetime import datetime, timezone
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from nlptasks.evaluation.differences import cells
from nlptasks.evaluation.report.contents import Contents, Part
from nlptasks.evaluation.report.payload import packed, runs
from nlptasks.runs import flat

MARK = '<meta name="generator" content="nlptasks runs report">'
"""Stands near the beginning of every report."""
STEPS = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)


def page(contents: Contents) -> str:
    """Return the report as one HTML document that asks the network for nothing."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    folder = files("nlptasks.evaluation.report")
    script, style, template = (
        (folder / name).read_text("utf-8") for name in ("report.js", "report.css", "report.html.jinja")
    )
    data, cut = packed(contents)
    notes = [*contents.notes, *([f"To keep this file small, long texts are cut: {cut}."] if cut else [])]
    return environment.from_string(template).render(
        mark=MARK,
        made=_time(datetime.now(timezone.utc).timestamp()),
        version=version("nlptasks"),
        runs=runs(contents.parts),
        heads=[_head(part) for part in contents.parts],
        scales={name: _scale(contents, name) for name in {*contents.figures, *contents.group_figures}},
        groups=sorted({group for part in contents.parts for group in part.groups}),
        ends=_ends,
        facts=_facts,
        cells=cells,
        contents=contents,
        notes=notes,
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        style=style,
        data=data,
    )


def _head(part: Part) -> dict[str, Any]:
    """Return what a reader must know of a run to judge its figures."""
    run, found = part.found.run, part.found
    options = {name: value for name, value in run.fingerprint["options"].items() if value not in (None, [], {}, "")}
    return {
        "run": str(found.path),
        "status": run.status,
        "task": f"{found.task} (version {run.fingerprint['task_version']})",
        "model": run.fingerprint["model"],
        "data": run.data.get("benchmark") or Path(run.data["path"]).name,
        "path": run.data["path"],
        "sha256 of the data": run.data["sha256"],
        **found.chosen,
        "options": options,
        "sha256 of the prompt": run.fingerprint["prompt"],
        "backend": dict(run.fingerprint["backend"]),
        "versions": dict(run.environment),
        "last sample": _time((found.path / "samples.jsonl").stat().st_mtime),
        "seconds": f"{run.seconds:.1f}",
        "tokens": f"{run.prompt_tokens:,} in, {run.completion_tokens:,} out",
    }


def _facts(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what is known as names and texts, nested names dotted."""
    return [(name, str(value)) for name, value in flat(values).items() if value is not None]


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def _scale(contents: Contents, name: str) -> tuple[float, float]:
    """Return the ends of a figure's axis: round numbers around 0 and all intervals."""
    tables = [table for part in contents.parts for table in (part.results, *part.groups.values()) if name in table]
    ends = [end for table in tables for end in (table[name].value, *table[name].ci95)]
    return (-_round_up(-min(ends)) or 0.0), (_round_up(max(ends)) or 1.0)


def _round_up(value: float) -> float:
    """Return the next round number, 0 for what is below."""
    if not (value > 0 and math.isfinite(value)):
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in STEPS if step * power >= value * (1 - 1e-9))


def _ends(scale: tuple[float, float], *values: float) -> list[float]:
    """Return where values lie on an axis, in percent."""
    low, high = scale
    return [round(100 * (value - low) / (high - low), 2) for value in values]
