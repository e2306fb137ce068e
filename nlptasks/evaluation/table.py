"""The rows to score: every prediction beside its references."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nlptasks.data import Row, unpacked
from nlptasks.errors import InputError
from nlptasks.evaluation.source import Source
from nlptasks.job import AnyTask

SHOWN = 3  # ids that an error names
EPOCH = "epoch"
"""The column that tells how often a row was asked before."""
Key = tuple[str, int, int]
"""What pairs a row with another run's: its id and epoch, and which of several with both it is."""


@dataclass(frozen=True)
class Scored:
    """One row to score; ``columns`` is all that is known of it."""

    id: str
    prediction: str
    references: tuple[str, ...]
    columns: Row

    @property
    def answerable(self) -> bool:
        """Whether some reference holds any text."""
        return has_text(self.references)

    @property
    def epoch(self) -> int | None:
        """How often the sample was asked before; None where it is not asked again."""
        return epoch_of(self.columns)


@dataclass(frozen=True)
class Table:
    """The rows to score, and the counts of all rows, scored or not; ``lang`` as in a Source."""

    name: str
    rows: Sequence[Scored]
    counts: Mapping[str, int]
    lang: str | None = None

    @property
    def has_bare(self) -> bool:
        """Whether some rows, not all, have no reference, or only empty ones."""
        return self.has_references and not all(row.answerable for row in self.rows)

    @property
    def samples(self) -> Sequence[str | int]:
        """Which sample each row is of: several are of one where it was asked more than once."""
        return [place if row.epoch is None else row.id for place, row in enumerate(self.rows)]

    @property
    def has_references(self) -> bool:
        """Whether any row has a reference."""
        return any(row.references for row in self.rows)


def match(task: AnyTask, predictions: Source, references: Sequence[Source], allow_missing: bool = False) -> Table:
    """Return the rows of ``references`` with their predictions, matched by id, or by line where neither has ids.

    Several sources of references give each row several. Without any, the predictions' own columns are looked at.
    A row with an ``error`` in place of a prediction is counted as failed and not scored.

    Raises:
        InputError: a column is missing, ids or numbers of lines do not fit, or nothing is left to score.
    """
    names = (task.reference_column, "references")
    for source in references:
        if not any(source.has(name) for name in names):
            raise _without(source, " or ".join(dict.fromkeys(map(repr, names))), "references")
    if not predictions.has("prediction") and not predictions.has("error"):
        raise _without(predictions, "'prediction'", "prediction")
    if not references:
        columns = sides = [list(predictions.rows)]
        found: Sequence[Row | None] = predictions.rows
        base = predictions
    else:
        base = references[0]
        found = _aligned(base, predictions, allow_missing)
        sides = [[row or {} for row in _aligned(base, source, allow_missing=False)] for source in references]
        columns = [*sides, [row or {} for row in found]]
    rows, failed, missing = [], 0, 0
    for index, row in enumerate(found):
        if row is not None and "error" in row and row.get("prediction") is None:
            failed += 1
            continue
        missing += row is None
        texts = tuple(text for side in sides for text in _references(side[index], names))
        known = _merged([side[index] for side in columns])
        rows.append(Scored(str(known.get("id", index)), as_text((row or {}).get("prediction")), texts, known))
    if not rows:
        raise InputError(f"{predictions.name}: all {failed} samples failed, so there is nothing to score.")
    samples = len({row.id for row in rows if row.epoch is not None})
    told = {"samples": samples, "missing": missing}
    counts = {
        "total": len(found),
        "scored": len(rows),
        "failed": failed,
        **{n: count for n, count in told.items() if count},
    }
    return Table(base.name, rows, {**counts, **_counts(rows)}, predictions.lang)


def has_text(references: Iterable[Any]) -> bool:
    """Whether some reference holds any text."""
    return any(one is not None and str(one).strip() for one in references)


def epoch_of(columns: Row) -> int | None:
    """Return a row's epoch, None where its sample is not asked again; data may have a column of that name too."""
    value = columns.get(EPOCH)
    return value if type(value) is int else None


def keys(rows: Iterable[tuple[str, Row]]) -> list[Key]:
    """Return for ids and columns of rows what pairs each with the other runs'."""
    seen: Counter[tuple[str, int]] = Counter()
    found = []
    for id_, columns in rows:
        key = id_, epoch_of(columns) or 0
        found.append((*key, seen[key]))
        seen[key] += 1
    return found


def joined(sources: Sequence[Source]) -> Source:
    """Return the rows of the first source with the columns of all.

    Raises:
        InputError: two have predictions, or their ids or numbers of lines do not fit.
    """
    first, *others = sources
    if not others:
        return first
    if sum(source.has("prediction") for source in sources) > 1:
        raise InputError(f"{' and '.join(one.name for one in sources)} both hold predictions: score one at a time.")
    sides = [first.rows, *(_aligned(first, other, allow_missing=False) for other in others)]
    return Source(first.name, [_merged([row or {} for row in rows]) for rows in zip(*sides, strict=True)], first.plain)


def _counts(rows: Sequence[Scored]) -> dict[str, int]:
    empty = [row for row in rows if not row.prediction.strip()]
    counts = {"empty": len(empty), "unanswered": sum(row.answerable for row in empty)}
    known = [name for name in ("truncated", "cached") if any(name in row.columns for row in rows)]
    return {**counts, **{name: sum(row.columns.get(name) is True for row in rows) for name in known}}


def _without(source: Source, columns: str, name: str) -> InputError:
    there = ", ".join(source.rows[0]) or "none"
    return InputError(
        f"{source.name} has no column {columns}; it has: {there}. Name the right one: --map {name}=COLUMN"
    )


def _aligned(base: Source, other: Source, allow_missing: bool) -> Sequence[Row | None]:
    """Return the rows of ``other`` in the order of ``base``, None where there is none."""
    if other is base:
        return base.rows
    by_id = [source.has("id") for source in (base, other)]
    if base.plain or other.plain or not any(by_id):
        if len(base.rows) != len(other.rows):
            raise InputError(
                f"{base.name} has {len(base.rows)} lines, {other.name} {len(other.rows)}: "
                "line by line they must be as many, or both have an id."
            )
        return other.rows
    if not all(by_id):
        bare = other if by_id[0] else base
        raise InputError(f"{bare.name} has no column 'id' to match by: give both sides one, or neither.")
    wanted, there = _by_id(base), _by_id(other)
    _check(f"{base.name} has no row for", other.name, there.keys() - wanted.keys(), "")
    if not allow_missing:
        hint = " --allow-missing scores an absent prediction as empty."
        _check(f"{other.name} has no row for", base.name, wanted.keys() - there.keys(), hint)
    return [there.get(id_) for id_ in wanted]


def _by_id(source: Source) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for number, row in enumerate(source.rows, 1):
        if row.get("id") is None:
            raise InputError(f"{source.name}: row {number} has no id, but others have.")
        if str(row["id"]) in rows:
            raise InputError(f"{source.name}: the id {str(row['id'])!r} is there twice.")
        rows[str(row["id"])] = row
    return rows


def _check(problem: str, name: str, ids: set[str], hint: str) -> None:
    if ids:
        raise InputError(f"{problem} {named(ids)} of {name}.{hint}")


def named(ids: set[str]) -> str:
    """Return how many ids there are, and some of them."""
    some = ", ".join(map(repr, sorted(ids)[:SHOWN]))
    return f"{len(ids)} id{'s' * (len(ids) > 1)} ({some}{', ...' * (len(ids) > SHOWN)})"


def _merged(rows: Sequence[Row]) -> Row:
    """Return all columns of a row; what stands in the first side counts. The fields of an ``output`` are columns."""
    known: dict[str, Any] = {}
    for row in reversed(rows):
        output = row.get("output")
        known |= {**(output if isinstance(output, Mapping) else {}), **row}
    return known


def _references(row: Row, names: Sequence[str]) -> tuple[str, ...]:
    value = next((row[name] for name in names if row.get(name) is not None), None)
    return () if value is None else tuple(map(as_text, unpacked(value)))


def as_text(value: Any) -> str:
    """Return a value of a file as text: what is none as JSON, None as ""."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
