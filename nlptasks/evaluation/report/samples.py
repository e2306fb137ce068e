"""The samples of a run: texts from its log, scores from its predictions."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite
from typing import Any

from nlptasks.backends.guarded import Guards
from nlptasks.data import Row
from nlptasks.evaluation.report.diff import Diff, diff
from nlptasks.evaluation.scoring import Measured, figure_names
from nlptasks.evaluation.source import FinishedRun
from nlptasks.evaluation.table import Key, Scored, Table, as_text, keys, match
from nlptasks.job import AnyTask
from nlptasks.journal import CHECK
from nlptasks.plugin import registry
from nlptasks.tasks import first_field
from nlptasks.text import words

PLACE = "place in the run"  # a column while rows are matched, which leaves out those that failed
LENGTHS = ("prompt", "prediction", "reference")
Turn = tuple[str, str]
"""A role and what was said in it."""


@dataclass(frozen=True)
class Exchange:
    """A request's messages, and what came back where it is not the prediction itself."""

    asked: Sequence[Turn]
    said: Sequence[Turn]


@dataclass(frozen=True)
class Entry:
    """One sample of one run. Texts are None where the log keeps none; so is a score that the sample has not.

    ``exchanges`` are the requests with their answers; ``lengths`` are in words, by ``LENGTHS``.
    """

    key: Key
    name: str
    states: Sequence[str]
    message: str | None
    prediction: str | None
    references: Sequence[str]
    exchanges: Sequence[Exchange]
    scores: Mapping[str, float]
    lengths: Sequence[int | None]

    @cached_property
    def diff(self) -> Diff | None:
        """How the prediction differs from the nearest reference, None where one of them is not there."""
        return None if self.prediction is None else diff(self.prediction, self.references)


@dataclass(frozen=True)
class Side:
    """A run with its rows matched to be scored, and its log.

    ``scored`` tells for the places of scored rows in the run those in the table; at places ``edited``, predictions
    are not what the run wrote.
    """

    found: FinishedRun
    task: AnyTask
    rows: Sequence[Row]
    log: Sequence[Row]
    table: Table
    scored: Mapping[int, int]
    edited: frozenset[int]

    @classmethod
    def read(cls, found: FinishedRun, task: AnyTask) -> Side:
        """Read a run.

        Raises:
            InputError, RunError: it cannot be read, holds nothing, or all of it failed.
        """
        source = found.source()
        rows = [{**row, PLACE: place} for place, row in enumerate(source.rows)]
        lines, log = _lines(found)
        edited = [
            n for n, (line, known) in enumerate(zip(lines, log, strict=False)) if known[CHECK] != zlib.crc32(line)
        ]
        table = match(task, replace(source, rows=rows), [])
        scored = {row.columns[PLACE]: at for at, row in enumerate(table.rows)}
        plain = [replace(row, columns={k: v for k, v in row.columns.items() if k != PLACE}) for row in table.rows]
        return cls(found, task, source.rows, log, replace(table, rows=plain), scored, frozenset(edited))

    @property
    def keeps_texts(self) -> bool:
        """Whether the log holds any text."""
        return any("exchanges" in line for line in self.log)

    def entries(self, measured: Sequence[Measured]) -> Iterator[Entry]:
        """Yield every sample, failed ones too, with its own scores."""
        singles = _singles(measured)
        known = keys((str(row.get("id", place)), row) for place, row in enumerate(self.rows))
        seen = Counter[str]()
        for place, (key, line) in enumerate(zip(known, self.log, strict=False)):
            name = str(line["id"]) if "id" in line else f"row {line['index'] + 1}"
            again = seen[key[0]]
            seen[key[0]] += 1
            yield self._entry(place, key, f"{name} ({again + 1})" if again else name, singles)

    def _entry(self, place: int, key: Key, name: str, singles: Sequence[Mapping[str, float]]) -> Entry:
        line, at, edited = self.log[place], self.scored.get(place), place in self.edited
        one = None if at is None else self.table.rows[at]
        kept = "exchanges" in line
        prediction = self._prediction(line, edited, one.prediction) if kept and one else None
        references = [as_text(each) for each in line["references"] or ()] if kept else []
        exchanges = [_exchange(each, prediction) for each in line["exchanges"]] if kept else []
        asked = [words(text) for each in exchanges for role, text in each.asked if role != "system"]
        lengths = (
            sum(map(len, asked)) if kept else None,
            len(words(one.prediction)) if one else None,
            len(words(one.references[0])) if one and one.references else None,
        )
        return Entry(
            key,
            name,
            [*_states(line, one), *(["edited"] if edited else [])],
            _message(line),
            prediction,
            references,
            exchanges,
            {} if at is None else singles[at],
            lengths,
        )

    def _prediction(self, line: Row, edited: bool, scored: str) -> str:
        """Return the text that was scored, as it may be kept on disk."""
        if edited or not isinstance(line.get("prediction"), dict):
            return Guards(registry().plugins).redact(scored)
        return as_text(line["prediction"][first_field(self.task.Output)])


def _lines(found: FinishedRun) -> tuple[list[bytes], list[Row]]:
    """Return the whole lines of both files of a run, of the log as objects; both were read once before."""
    files = found.predictions, found.path / "samples.jsonl"
    lines, log = ([line + b"\n" for line in file.read_bytes().split(b"\n")[:-1] if line.strip()] for file in files)
    return lines, [json.loads(line) for line in log]


def _singles(measured: Sequence[Measured]) -> list[dict[str, float]]:
    """Return the scores of each scored row alone."""
    singles: list[dict[str, float]] = [{} for one in measured[:1] for _ in one.statistics]
    for one, names in zip(measured, figure_names(measured), strict=True):
        for row, scores in enumerate(singles):
            scores |= figures(one, [row], names)
    return singles


def figures(measured: Measured, rows: Sequence[int], names: Mapping[str, str]) -> dict[str, float]:
    """Return a metric's scores of some rows by their names; what is no number, or none of all rows, is left out."""
    found = measured.aggregate(measured.statistics[list(rows)])
    counts = measured.choice.kind.counts
    return {names[part]: value for part, value in found.items() if part in names.keys() - counts and isfinite(value)}


def _states(line: Row, one: Scored | None) -> Iterator[str]:
    if one is None:
        yield "failed"
    elif not one.prediction.strip():
        yield "unanswered" if one.answerable else "empty"
    yield from (name for name in ("truncated", "cached") if line.get(name))


def _exchange(values: Mapping[str, Any], prediction: str | None) -> Exchange:
    asked = [(message["role"], message["content"]) for message in values["messages"]]
    answer = values["answer"]
    said = [("reasoning", answer.get("reasoning")), ("answer", answer.get("text"))]
    return Exchange(asked, [(role, text) for role, text in said if text and text != prediction])


def _message(line: Row) -> str | None:
    error = line.get("error")
    if error is None:
        return "The log keeps no message." if line["failed"] else None
    return f"{error['type']}: {error['message']}" if error.get("message") else str(error["type"])
