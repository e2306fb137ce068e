"""From data files to examples, by the task's own prompt and reference; what cannot be learnt from is counted."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nlptasks.data import Columns, plain_column, read_rows
from nlptasks.errors import InputError, NLPTasksError, UsageError
from nlptasks.job import AnyTask
from nlptasks.records import Record, Sample
from nlptasks.training.families.base import Example

log = logging.getLogger("nlptasks")


@dataclass(frozen=True)
class Data:
    """A file of rows to learn from.

    ``weight`` is the share of its rows that an epoch takes: 0.5 half of them, 2 each twice. ``columns`` (ours ->
    theirs) and ``defaults`` are as for any batch.
    """

    path: Path
    weight: float = 1.0
    columns: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))
        if not self.weight > 0:
            raise UsageError(f"{self.path}: a weight must be above 0, not {self.weight:g}.")


class LeftOut:
    """The rows that nothing is learnt from, by reason, with an example of each."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._counts: Counter[str] = Counter()
        self._first: dict[str, str] = {}

    def add(self, sample: Sample, reason: str) -> None:
        """Count a row; ``reason`` may begin with the row's own place, which is left off."""
        name = f"row {sample.index + 1}"
        reason = " ".join(reason.split()).removeprefix(f"{name}: ").rstrip(".")
        kind = reason.partition("(")[0].strip()
        self._counts[kind] += 1
        self._first.setdefault(kind, f"{name}: {reason}")

    def tell(self) -> None:
        """Log a line for each reason."""
        for kind, count in self._counts.items():
            rows = "1 row was" if count == 1 else f"{count} rows were"
            log.warning("%s: %s left out: %s", self._place, rows, self._first[kind])

    def error(self) -> InputError:
        """Return the error for data of which no row is left."""
        if not self._counts:
            return InputError(f"{self._place} holds no rows.")
        kind, count = self._counts.most_common(1)[0]
        return InputError(
            f"{self._place}: none of its rows can be learnt from; {count} times as in {self._first[kind]}."
        )


def read_examples(task: AnyTask, options: Any, data: Data, left_out: LeftOut) -> Iterator[Example]:
    """Yield what can be learnt from a file.

    Raises:
        InputError, UnknownNameError: the file, or a column that all rows need.
    """
    columns = Columns(task, data.columns, data.defaults, data.path.parent)
    for item in columns.samples(read_rows(data.path, plain_column(task)), str(data.path)):
        if isinstance(item, Record):
            left_out.add(item.sample, item.result.message)
            continue
        try:
            plain = task.plain and item.references is None
            yield Example(item, task.prompt(item, options), target(task, item), plain)
        except (ValueError, NLPTasksError) as error:
            left_out.add(item, str(error))


def target(task: AnyTask, sample: Sample) -> str:
    """Return the text to learn.

    Raises:
        ValueError: there is none.
    """
    if sample.references is None and not task.plain:
        column = task.reference_column
        raise ValueError(f"no reference in {column!r} or 'references': name the column with --map {column}=COLUMN")
    text = task.target(sample)
    if not text.strip():
        raise ValueError(f"its {task.reference_column!r} is empty" if sample.references else "it is empty")
    return text


def as_data(given: Any, columns: Mapping[str, str], defaults: Mapping[str, Any]) -> list[Data]:
    """Return files as Data: one path or Data, several, or a mapping of paths to weights."""
    if isinstance(given, (str, Path, Data)):
        given = [given]
    if isinstance(given, Mapping):
        given = [Data(Path(path), weight) for path, weight in given.items()]
    return [
        Data(one.path, one.weight, {**columns, **one.columns}, {**defaults, **one.defaults})
        for one in (each if isinstance(each, Data) else Data(Path(each)) for each in given)
    ]
