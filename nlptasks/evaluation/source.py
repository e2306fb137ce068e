"""One side of what is scored: predictions or references, from a file, a list or a run."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nlptasks.batch import LANGUAGES
from nlptasks.data import READERS, Row, read_rows, unpacked_text
from nlptasks.errors import InputError, RunError, UnknownNameError
from nlptasks.evaluation.json_file import read_json
from nlptasks.job import AnyTask
from nlptasks.records import Failure
from nlptasks.runs import Run, read_run
from nlptasks.seal import unsealed

log = logging.getLogger("nlptasks")
MARKED_UP = (".sgm", ".xml", ".html")
"""Endings of what is no text by line, though it reads as such."""
Given = str | Path | Sequence[Any]


@dataclass(frozen=True)
class Source:
    """Rows with the name to call them by; ``plain`` ones are bare texts, which have no ids.

    ``lang`` is the language of all predictions, None where the rows tell it.
    """

    name: str
    rows: Sequence[Row]
    plain: bool = False
    lang: str | None = None

    def __post_init__(self) -> None:
        if not self.rows:
            raise InputError(f"{self.name} is empty: there is nothing to score.")

    def has(self, column: str) -> bool:
        """Whether any row has a column."""
        return any(column in row for row in self.rows)

    def renamed(self, mapping: Mapping[str, str]) -> Source:
        """Return the rows with ``mapping`` (ours -> theirs) applied where they have the column."""
        if not mapping:
            return self
        rows = [
            {**row, **{ours: row[theirs] for ours, theirs in mapping.items() if theirs in row}} for row in self.rows
        ]
        return replace(self, rows=rows)


def read_source(given: Given, column: str, what: str) -> Source:
    """Return one side: a file, or a sequence of rows, of texts, or of several texts each; ``column`` is for texts.

    Raises:
        InputError: it cannot be read or is empty.
    """
    if isinstance(given, str | Path):
        return _file(Path(given), column)
    rows = [item if isinstance(item, Mapping) else {column: item} for item in given]
    return Source(f"the list of {what}", rows, not any(isinstance(item, Mapping) for item in given))


def _file(path: Path, column: str) -> Source:
    ending = Path(path.name.removesuffix(".gz")).suffix.lower()
    if ending == ".json" and path.is_file():
        return Source(str(path), read_json(path, column))
    if str(path) != "-" and path.is_file() and (ending not in READERS or ending == ".txt"):
        if ending in MARKED_UP:
            raise InputError(f"{path}: turn it into .jsonl, .csv, .tsv, .parquet or plain text by line first.")
        return Source(str(path), [{column: line} for line in _lines(path)], plain=True)
    rows: list[Row] = []
    for _, row in read_rows(path, column):
        if isinstance(row, Failure):
            raise InputError(f"{path}: {row.message}")
        rows.append(row)
    return Source(str(path), rows)


def _lines(path: Path) -> list[str]:
    """Return the lines of a text, empty ones too: line k of one file belongs to line k of another."""
    lines = [line.removesuffix("\r") for line in unpacked_text(path).split("\n")]
    return lines if lines[-1] else lines[:-1]


@dataclass(frozen=True)
class FinishedRun:
    """A run that can be scored; ``predictions`` is the file beside or in its directory."""

    path: Path
    run: Run
    predictions: Path

    @property
    def task(self) -> str:
        """The name of the task."""
        return str(self.run.fingerprint["task"])

    @property
    def chosen(self) -> Mapping[str, Any]:
        """Which part of the data an evaluation asked, and how often."""
        fingerprint = self.run.fingerprint
        return {name: fingerprint[name] for name in ("limit", "epochs", "shots") if fingerprint.get(name)}

    def metrics(self, task: AnyTask) -> Sequence[str]:
        """Return the metrics that it was scored with, or those of the task."""
        return self.run.metrics or task.metrics

    def source(self) -> Source:
        """Return its rows, with what the log knows of each: ``truncated``, ``cached``, references.

        Raises:
            InputError, RunError: they cannot be read.
        """
        rows, log_lines = _whole_lines(self.predictions, _row), _whole_lines(self.path / "samples.jsonl", unsealed)
        if self.run.status != "success":
            log.warning("%s is not finished (%s): only its %d rows are scored.", self.path, self.run.status, len(rows))
        elif len(rows) != len(log_lines):
            raise RunError(f"{self.path} is damaged: {len(rows)} predictions, {len(log_lines)} lines in samples.jsonl.")
        languages = {name: lang for name, lang in self.run.data.get("defaults", {}).items() if name in LANGUAGES}
        merged = [_merged(row, line, languages) for row, line in zip(rows, log_lines, strict=False)]
        return Source(str(self.path), merged, lang=self.run.lang).renamed(self.run.data.get("columns", {}))


def find_run(given: str | Path) -> FinishedRun | None:
    """Return the run that ``given`` names: its directory, or the output beside it; None if it is neither.

    Raises:
        RunError: it is a damaged run, or one without predictions.
    """
    path = Path(given)
    folder = path
    if path.is_file():
        beside = (path.with_name(path.name + ending) for ending in (".run", ".jsonl.run"))  # the second of .parquet
        folder = next((each for each in beside if (each / "run.json").is_file()), path)
    if not (folder / "run.json").is_file():
        return None
    inside = folder / "predictions.jsonl"
    output = inside if inside.is_file() else folder.with_name(folder.name.removesuffix(".run"))
    if not output.is_file():
        raise RunError(f"{folder} has no predictions: {output.name} is neither in it nor beside it.")
    try:
        return FinishedRun(folder, read_run(folder), output)
    except RunError as error:
        raise RunError(f"{error} Make the run again, or name another.") from None


def open_run(given: str | Path) -> FinishedRun:
    """Return the run that ``given`` names.

    Raises:
        RunError: it is none.
    """
    found = find_run(given)
    if found is None:
        raise RunError(f"{given} is no run: name the directory that holds its run.json, or the output beside it.")
    return found


def _whole_lines(path: Path, read: Callable[[bytes], Row | None]) -> list[Row]:
    """Return the rows of a run's file; a last line that is torn is that of a run stopped there."""
    try:
        with path.open("rb") as file:
            lines = [(number, line) for number, line in enumerate(file, 1) if line.strip() and line.endswith(b"\n")]
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from None
    rows = []
    for number, line in lines:
        row = read(line)
        if row is None:
            raise RunError(f"{path} is damaged at line {number}: make the run again, or name another.")
        rows.append(row)
    return rows


def _row(line: bytes) -> Row | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _merged(row: Row, line: Row, languages: Mapping[str, str]) -> Row:
    known = {name: line.get(name, False) for name in ("truncated", "cached")}
    told = {name: lang for name, lang in languages.items() if not row.get(name)}
    return {"references": line.get("references"), **row, **told, **known}


def check_mapping(mapping: Mapping[str, str], sources: Sequence[Source]) -> None:
    """Check that every column that is to be renamed exists.

    Raises:
        UnknownNameError: one does not.
    """
    for theirs in mapping.values():
        if not any(source.has(theirs) for source in sources):
            known = {name for source in sources for name in source.rows[0]}
            raise UnknownNameError("column", theirs, known, f"There are: {', '.join(sorted(known))}")
