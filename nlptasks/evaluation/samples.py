"""The samples of an evaluation: read, checked and drawn before any model is loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nlptasks.batch import origin
from nlptasks.data import Columns, dump_line, plain_column
from nlptasks.errors import InputError, UnknownNameError, UsageError
from nlptasks.evaluation.dataset import Data, Dataset
from nlptasks.evaluation.table import has_text
from nlptasks.evaluation.trial import Items, draw, has_target, key, repeated
from nlptasks.job import AnyTask
from nlptasks.records import Record, Sample


@dataclass(frozen=True)
class Selection:
    """Which rows are tested, and how often. ``columns`` (ours -> theirs) and ``defaults`` are as for any batch.

    ``shots`` examples are shown with every question, drawn from ``shots_from`` or else from the data itself; then
    they are not tested.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None
    epochs: int = 1
    shots: int = 0
    shots_from: Data | None = None

    def __post_init__(self) -> None:
        if self.shots_from is not None and not self.shots:
            raise UsageError("How many examples are to be drawn from --shots-from? Say --shots N.")


@dataclass(frozen=True)
class Samples:
    """What is tested, each question ``epochs`` times, and the examples; ``origin`` and ``chosen`` are what a run
    over them is known by.
    """

    name: str
    items: Items
    epochs: int
    shots: Sequence[Sample]
    origin: Mapping[str, Any]
    chosen: Mapping[str, Any]

    @property
    def bare(self) -> bool:
        """Whether some samples, not all, have no reference, or only empty ones."""
        known = [has_text(item.references or ()) for item in self.items if isinstance(item, Sample)]
        return any(known) and not all(known)

    def check_column(self, name: str, task: AnyTask) -> None:
        """Check that the rows have a column, or will have it from the task's output.

        Raises:
            UnknownNameError: they will not.
        """
        rows = [item.row for item in self.items if isinstance(item, Sample)]
        known = {column for row in rows for column in row} | task.Output.model_fields.keys() | {"id"}
        if name not in known:
            raise UnknownNameError("column", name, sorted(known), f"{self.name} has: {', '.join(sorted(known))}")


def read_samples(task: AnyTask, dataset: Dataset, selection: Selection, referenced: bool) -> Samples:
    """Return the samples of a dataset; where ``referenced``, each must have a reference.

    Raises:
        InputError: there are none, one lacks a reference, or there are too few examples.
    """
    items = _read(task, dataset, selection)
    if not items:
        raise InputError(f"{dataset.place} holds no rows.")
    if referenced:
        _check(task, items, dataset.place)
    shots: list[Sample] = []
    if selection.shots and selection.shots_from is not None:
        pool = _read(task, Dataset.of(selection.shots_from, task.name), selection)
        shots = draw(task, selection.shots, pool, items)
    elif selection.shots:
        shots = draw(task, selection.shots, items, [])
        shown = {key(shot) for shot in shots}
        items = [item for item in items if key(item) not in shown]
        if not items:
            raise InputError(f"{dataset.place} has no rows left beside the examples: lower --shots.")
    tested = repeated(items[: selection.limit], selection.epochs)
    return Samples(
        dataset.name,
        tested,
        selection.epochs,
        shots,
        _origin(dataset, _columns(task, dataset, selection)),
        {
            "limit": selection.limit,
            "epochs": selection.epochs,
            "shots": _digest(shots),
        },
    )


def _columns(task: AnyTask, dataset: Dataset, selection: Selection) -> Columns:
    base = dataset.path.parent if dataset.path else Path()
    return Columns(task, selection.columns, selection.defaults, base)


def _read(task: AnyTask, dataset: Dataset, selection: Selection) -> list[Sample | Record]:
    columns = _columns(task, dataset, selection)
    return list(columns.samples(dataset.rows(plain_column(task)), dataset.place))


def _check(task: AnyTask, items: Items, place: str) -> None:
    column = task.reference_column
    for number, item in enumerate(items, 1):
        if isinstance(item, Sample) and not has_target(task, item):
            raise InputError(
                f"{place}: row {number} has no reference to compare with, in {column!r} or 'references'. "
                f"Add it, or name the right column: --map {column}=COLUMN"
            )


def _origin(dataset: Dataset, columns: Columns) -> dict[str, Any]:
    named = {"benchmark": dataset.benchmark.name} if dataset.benchmark else {}
    known = origin(dataset.path or Path(dataset.place), columns)
    if dataset.given is not None:
        known["sha256"] = hashlib.sha256(b"".join(map(dump_line, dataset.given))).hexdigest()
    return {**named, **known}


def _digest(shots: Sequence[Sample]) -> str | None:
    if not shots:
        return None
    text = b"".join(dump_line({"input": key(shot), "references": shot.references}) for shot in shots)
    return f"{len(shots)}, sha256:{hashlib.sha256(text).hexdigest()[:16]}"
