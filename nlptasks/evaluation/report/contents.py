"""What a report says: figures, differences, lengths and samples of one run, or of several side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np

from nlptasks.errors import NLPTasksError
from nlptasks.evaluation.comparison import compare
from nlptasks.evaluation.differences import Comparison
from nlptasks.evaluation.metrics import Choice, choose, usual
from nlptasks.evaluation.report.samples import LENGTHS, Entry, Side, figures
from nlptasks.evaluation.results import Score
from nlptasks.evaluation.scoring import Measured, figure_names, measure, score_table
from nlptasks.evaluation.source import FinishedRun
from nlptasks.evaluation.table import Key
from nlptasks.job import load_task

ASKS_A_MODEL = frozenset({"judge", "encoder"})
"""Options of a metric that name a model: it is asked again only for who wants that."""
ALWAYS = "length"
"""The metric that needs nothing but predictions."""
BINS = 8
FEWEST = 10
"""Samples that a bin should hold."""
MESSAGES = 20
"""Kinds of failures that are listed; each sample tells its own."""
Figures = Mapping[str, Score]


@dataclass(frozen=True)
class Bin:
    """The figures of the ``n`` samples whose length, in words, is from ``low`` to ``high``."""

    low: int
    high: int
    n: int
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Part:
    """One run of a report. ``bins`` are by the name of a length, ``failures`` the most frequent messages, counted."""

    found: FinishedRun
    results: Figures
    groups: Mapping[str, Figures]
    counts: Mapping[str, int]
    entries: Mapping[Key, Entry]
    bins: Mapping[str, Sequence[Bin]]
    failures: Mapping[str | None, int]


@dataclass(frozen=True)
class Contents:
    """All that a report says; ``notes`` are what a reader must know beside the figures."""

    parts: Sequence[Part]
    by: str | None
    comparison: Comparison | None
    notes: Sequence[str]

    @property
    def figures(self) -> list[str]:
        """The names of all figures of runs."""
        return list(dict.fromkeys(name for part in self.parts for name in part.results))

    @property
    def group_figures(self) -> list[str]:
        """The names of all figures of groups."""
        tables = [table for part in self.parts for table in part.groups.values()]
        return list(dict.fromkeys(name for table in tables for name in table))

    @property
    def single_figures(self) -> list[str]:
        """The names of the figures that samples have of their own, in the order of ``figures``."""
        names = {name for part in self.parts for entry in part.entries.values() for name in entry.scores}
        return [*(name for name in self.figures if name in names), *sorted(names - set(self.figures))]


def gather(found: Sequence[FinishedRun], by: str | None, ask: bool) -> Contents:
    """Return the contents of a report.

    Raises:
        UsageError, RunError, PluginError, BackendError: see ``report``.
    """
    task = load_task(found[0].task)
    first, notes = Side.read(found[0], task), list[str]()
    measured = list(_measured(first, ask, notes)) or measure(first.table, choose(ALWAYS))
    free = [one.choice.label for one in measured if not _asks_a_model(one.choice)]
    comparison = compare([run.path for run in found], metrics=free or ALWAYS, most=0) if len(found) > 1 else None
    parts = [_part(first, measured, by)]
    notes += _notes(first, len(found) > 1)
    for run in found[1:]:
        side = Side.read(run, task)
        parts.append(_part(side, measure(side.table, [one.choice for one in measured]), by))
        notes += _notes(side, several=True)
    return Contents(parts, by, comparison, notes)


def _measured(side: Side, ask: bool, notes: list[str]) -> Iterator[Measured]:
    """Yield what the metrics of a run make of its samples; ``notes`` then say why some give them no scores."""
    for label in usual(side.found.metrics(side.task), side.table.has_bare):
        try:
            choices = choose([label])
            if ask or not _asks_a_model(choices[0]):
                yield from measure(side.table, choices)
            else:
                notes.append(f"{label} has no scores per sample here, as its model would have to be asked: --ask.")
        except NLPTasksError as error:
            notes.append(f"{label} has no scores per sample here: {error}")


def _asks_a_model(choice: Choice) -> bool:
    return bool(ASKS_A_MODEL & signature(choice.kind).parameters.keys())


def _part(side: Side, measured: Sequence[Measured], by: str | None) -> Part:
    kept = {name: _score(values) for name, values in side.found.run.results.items()}
    free = [one.choice for one in measured if not _asks_a_model(one.choice)] or choose(ALWAYS)
    scores = score_table(side.table, free, by=by) if by or not kept else None
    entries = list(side.entries(measured))
    return Part(
        side.found,
        kept or (scores.results if scores else {}),
        scores.groups if scores else {},
        side.table.counts,
        {entry.key: entry for entry in entries},
        _bins(measured, [entry for entry in entries if "failed" not in entry.states]),
        dict(Counter(entry.message for entry in entries if "failed" in entry.states).most_common(MESSAGES)),
    )


def _score(values: Mapping[str, Any]) -> Score:
    return Score(**{**values, "ci95": tuple(values["ci95"])})


def _bins(measured: Sequence[Measured], entries: Sequence[Entry]) -> dict[str, list[Bin]]:
    """Return the figures of about as many samples at a time, from the shortest to the longest."""
    found = {}
    for place, name in enumerate(LENGTHS):
        lengths = [entry.lengths[place] for entry in entries]
        known = [length for length in lengths if length is not None]
        if len(known) == len(lengths) and len(known) >= 2 * FEWEST:
            edges = np.quantile(known, np.linspace(0, 1, min(BINS, len(known) // FEWEST) + 1)[1:-1])
            shares = np.searchsorted(edges, known)  # equal lengths are in one bin
            found[name] = [_bin(measured, known, np.flatnonzero(shares == each).tolist()) for each in np.unique(shares)]
    return found


def _bin(measured: Sequence[Measured], lengths: Sequence[int], rows: Sequence[int]) -> Bin:
    found: dict[str, float] = {}
    for one, names in zip(measured, figure_names(measured), strict=True):
        found |= figures(one, rows, names)
    chosen = [lengths[row] for row in rows]
    return Bin(min(chosen), max(chosen), len(rows), found)


def _notes(side: Side, several: bool) -> Iterator[str]:
    name = f"{side.found.path}: " if several else ""
    run = side.found.run
    if run.status != "success":
        why = f": {run.message}" if run.message else "."
        yield f"{name}The run is not finished ({run.status}), so only its {len(side.log)} samples are here{why}"
    if not side.keeps_texts:
        yield f"{name}The run kept no texts (--log-content), so there are scores and lengths only."
    if side.edited:
        yield f"{name}{len(side.edited)} predictions were edited after the run; scores per sample are of the edited."
    if not side.table.has_references:
        yield f"{name}There are no references to compare with."
