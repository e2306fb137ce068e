"""``run.json``: what a run is known by, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from nlptasks.errors import RunError

SCHEMA_VERSION = 1
Status = Literal["started", "success", "error", "cancelled"]


@dataclass
class Counts:
    """How many samples; ``truncated``, ``empty`` and ``cached`` are among those that did not fail."""

    total: int = 0
    failed: int = 0
    truncated: int = 0
    empty: int = 0
    cached: int = 0

    def add(self, line: Mapping[str, Any]) -> None:
        """Count one line of samples.jsonl."""
        self.total += 1
        for name in ("failed", "truncated", "empty", "cached"):
            setattr(self, name, getattr(self, name) + bool(line.get(name)))


@dataclass
class Run:
    """What ``run.json`` holds. ``fingerprint`` is what must be the same for a run to be resumed.

    ``data`` says where the rows came from, ``environment`` what they were worked on with. ``metrics`` are those that
    the run is scored with, in the language ``lang`` or else in that of each row, ``results`` their figures by name;
    only an evaluation has them.
    """

    fingerprint: Mapping[str, Any]
    data: Mapping[str, Any]
    environment: Mapping[str, str]
    version: int = SCHEMA_VERSION
    status: Status = "started"
    message: str = ""
    counts: Counts = field(default_factory=Counts)
    seconds: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    completion_tokens_per_second: float = 0.0
    metrics: Sequence[str] = ()
    lang: str | None = None
    results: Mapping[str, Any] = field(default_factory=dict)


def write_run(path: Path, run: Run) -> None:
    """Replace a run directory's ``run.json`` at once."""
    scratch = path / "run.json.new"
    scratch.write_text(json.dumps(asdict(run), indent=2, ensure_ascii=False) + "\n", "utf-8")
    scratch.replace(path / "run.json")


def read_run(path: Path) -> Run:
    """Return what a run directory's ``run.json`` says.

    Raises:
        RunError: there is none, or it is damaged or of another version.
    """
    try:
        values = json.loads((path / "run.json").read_text("utf-8"))
        if values["version"] != SCHEMA_VERSION:
            raise RunError(f"{path} was written by another version of nlptasks, which alone can read it.")
        return Run(**{**values, "counts": Counts(**values["counts"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError(f"The run.json of {path} cannot be read ({error}).") from None
