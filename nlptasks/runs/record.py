"""``run.json``: what a run is known by, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, TypeAdapter, ValidationError
from typing_extensions import Required, TypedDict

from nlptasks.data import one_line
from nlptasks.errors import RunError

SCHEMA_VERSION = 1
Status = Literal["started", "success", "error", "cancelled"]


@dataclass
class Counts:
    """How many samples; ``truncated``, ``empty`` and ``cached`` are among those that did not fail."""

    total: int = 0
    """Samples that came to an end."""
    failed: int = 0
    """Those without a prediction."""
    truncated: int = 0
    """Those of which an answer was cut off at `max_new_tokens`."""
    empty: int = 0
    """Those with a prediction without text."""
    cached: int = 0
    """Those answered from the cache alone."""

    def add(self, line: Mapping[str, Any]) -> None:
        """Count one line of samples.jsonl."""
        self.total += 1
        for name in ("failed", "truncated", "empty", "cached"):
            setattr(self, name, getattr(self, name) + bool(line.get(name)))


@cache
def _reader(kind: Any) -> TypeAdapter[Any]:
    """Made once: a folder may hold many runs."""
    return TypeAdapter(kind)


def _like(kind: Any) -> AfterValidator:
    """Return what checks that a mapping is of a kind, and leaves it as it is."""

    def check(value: Any) -> Any:
        try:
            _reader(kind).validate_python(value)
        except ValidationError as error:
            raise ValueError(one_line(error)) from None
        return value

    return AfterValidator(check)


class _Known(TypedDict):
    """What every fingerprint says, beside what a run adds to it."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]
    task: str
    task_version: str
    data: dict[str, Any]
    model: str
    backend: dict[str, Any]
    options: dict[str, Any]
    prompt: str


class _Origin(TypedDict, total=False):
    """What is read of where the rows came from."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]
    path: Required[str]
    benchmark: str | None
    sha256: Required[str | None]
    columns: dict[str, str]
    defaults: dict[str, Any]


class _Figure(TypedDict):
    """What is read of one of the results."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]
    value: float
    stderr: float
    ci95: tuple[float, float]
    n: int
    signature: str


@dataclass
class Run:
    """What ``run.json`` holds."""

    fingerprint: Annotated[Mapping[str, Any], _like(_Known)]
    """What must be the same for a run to be resumed: the task, its options and prompt, the model, the data."""
    data: Annotated[Mapping[str, Any], _like(_Origin)]
    """Where the rows came from."""
    environment: Mapping[str, str]
    """What they were worked on with: versions and platform."""
    version: int = SCHEMA_VERSION
    """The version of this form."""
    status: Status = "started"
    """Whether it runs (or was killed), succeeded, ended by an error, or was stopped."""
    message: str = ""
    """The error that ended it."""
    counts: Counts = field(default_factory=Counts)
    """How many samples, by what became of them."""
    seconds: float = 0.0
    """Time spent, over all its resumptions."""
    prompt_tokens: int = 0
    """Tokens read."""
    completion_tokens: int = 0
    """Tokens written."""
    completion_tokens_per_second: float = 0.0
    """Tokens written in a second of the time spent."""
    metrics: Sequence[str] = ()
    """What an evaluation is scored with."""
    lang: str | None = None
    """The language that it is scored in; null where it is that of each row."""
    results: Annotated[Mapping[str, Any], _like(Mapping[str, _Figure])] = field(default_factory=dict)
    """The figures of an evaluation by name, with interval, standard error, sample count and signature."""


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
        text = (path / "run.json").read_text("utf-8")
        if json.loads(text)["version"] != SCHEMA_VERSION:
            raise RunError(f"{path} was written by another version of nlptasks, which alone can read it.")
        run: Run = _reader(Run).validate_json(text, strict=True)
        return run
    except ValidationError as error:
        raise RunError(f"The run.json of {path} cannot be read ({one_line(error)}).") from None
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise RunError(f"The run.json of {path} cannot be read ({error}).") from None
