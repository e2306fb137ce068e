"""Rows as a task's samples: which column is which field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from nlptasks.data.reading import Numbered, Row
from nlptasks.errors import InputError, UnknownNameError
from nlptasks.records import Failure, Record, Sample
from nlptasks.tasks import Task, first_field


def column_names(name: str, info: FieldInfo) -> tuple[str, ...]:
    """Return the names under which a field is found in a row and on the command line, the main one first."""
    alias = info.validation_alias
    if alias is None:
        return (name,)
    choices = [alias] if isinstance(alias, str) else getattr(alias, "choices", [])
    return tuple(choice for choice in choices if isinstance(choice, str)) or (name,)


def plain_column(task: Task[Any, Any, Any]) -> str:
    """Return the column that a line of plain text fills: that of the first Input field."""
    name = first_field(task.Input)
    return column_names(name, task.Input.model_fields[name])[0]


@dataclass(frozen=True)
class Columns:
    """How rows become samples: ``mapping`` renames columns, ``defaults`` fill absent ones."""

    task: Task[Any, Any, Any]
    mapping: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    base: Path = Path()

    def samples(self, rows: Numbered, source: str) -> Iterator[Sample | Record]:
        """Yield a sample for every row; a row that does not fit is a Record with its Failure.

        Raises:
            InputError, UnknownNameError: the first row lacks a column the task needs, or one the mapping names.
        """
        checked = False
        for index, row in rows:
            if isinstance(row, Failure):
                yield Record(Sample(str(index), None, index=index), row)
                continue
            if not checked:
                self._check(row, source)
                checked = True
            yield self._sample(index, row)

    def _sample(self, index: int, row: Row) -> Sample | Record:
        id_ = str(row.get("id", index))
        renamed = self._renamed(row)
        try:
            values = {**self.defaults, **self._known(renamed)}
            value = self.task.Input.model_validate(values, context={"base": self.base})
        except ValidationError as error:
            failure = Failure("input", f"row {index + 1}: {one_line(error)}")
            return Record(Sample(id_, None, index=index, row=row), failure)
        return Sample(id_, value, self._references(renamed), index, row)

    def _renamed(self, row: Row) -> Row:
        renamed = {ours: row[theirs] for ours, theirs in self.mapping.items() if theirs in row}
        return {**row, **renamed} if renamed else row

    def _known(self, row: Row) -> dict[str, Any]:
        """Keep the task's own columns; a row's column stands in for a default of any of its names."""
        known = {}
        for names, required in self._fields:
            # An empty cell of a table is an absent value, unless the field itself is a text.
            given = [one for one in names if row.get(one) is not None]
            present = next((one for one in given if row[one] != ""), given[0] if given and required else None)
            if present is not None:
                known[names[0]] = row[present]
        return known

    @cached_property
    def _fields(self) -> list[tuple[tuple[str, ...], bool]]:
        """The names of each Input field, and whether it must be given: looked up once for all rows."""
        return [(column_names(name, info), info.is_required()) for name, info in self.task.Input.model_fields.items()]

    def _references(self, row: Row) -> tuple[Any, ...] | None:
        for name in (self.task.reference_column, "references"):
            if row.get(name) is not None:
                return unpacked(row[name])
        return None

    def _check(self, row: Row, source: str) -> None:
        for ours, theirs in self.mapping.items():
            if theirs not in row:
                raise UnknownNameError("column", theirs, row, f"{source} has: {', '.join(row)}")
            known = [n for name, info in self.task.Input.model_fields.items() for n in column_names(name, info)]
            known += [self.task.reference_column, "references", "id"]
            if ours not in known:
                raise UnknownNameError("column", ours, known, f"{self.task.name} takes: {', '.join(known)}")
        renamed = self._renamed(row)
        for name, info in self.task.Input.model_fields.items():
            names = column_names(name, info)
            if info.is_required() and not any(one in renamed or one in self.defaults for one in names):
                raise InputError(
                    f"{source} has no column {names[0]!r}; it has: {', '.join(row) or 'none'}. "
                    f"Name the right one: --map {names[0]}=COLUMN"
                )


def unpacked(value: Any) -> tuple[Any, ...]:
    """Return what a reference column holds: one reference, a list, or SQuAD's ``{"text": [...]}``."""
    if isinstance(value, Mapping) and "text" in value:
        return unpacked(value["text"])
    if isinstance(value, (list, tuple)):
        return tuple(one for each in value for one in unpacked(each))
    return (value,)


def one_line(error: ValidationError) -> str:
    """Return what is wrong with a value, in one line."""
    parts = []
    for item in error.errors():
        where = ".".join(str(part) for part in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        parts.append(f"{where}: {message}" if where else message)
    return "; ".join(parts)
