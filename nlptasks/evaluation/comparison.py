"""Whether runs on the same data differ by more than chance, sample by sample."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlptasks.errors import RunError, UsageError
from nlptasks.evaluation.bootstrap import ROUNDING, holm, paired
from nlptasks.evaluation.differences import Change, Comparison, Difference, Pair
from nlptasks.evaluation.metrics import Choice, choose, usual
from nlptasks.evaluation.scoring import Measured, figure_names, measure
from nlptasks.evaluation.source import FinishedRun, open_run
from nlptasks.evaluation.table import Key, Scored, Table, keys, match
from nlptasks.job import load_task

if TYPE_CHECKING:
    from nlptasks.metrics.base import Metric

NOT_THE_DATA = ("path", "bytes")  # a copy of a file is the same data


def compare(
    runs: Sequence[str | Path],
    *,
    metrics: str | Sequence[str | Metric] | None = None,
    lang: str | None = None,
    most: int = 5,
    judge: str | None = None,
    encoder: str | None = None,
) -> Comparison:
    """Compare runs on the same data with the first of them.

    Args:
        runs: two or more directories or output files.
        metrics, lang, judge, encoder: as for ``score``.
        most: how many of the samples to return that changed most.

    Raises:
        UsageError: fewer than two runs, or a metric that cannot be used.
        RunError: they are no runs, or not of the same task and data, or share no sample.
    """
    if len(runs) < 2:
        raise UsageError("Give two runs to compare, or more.")
    baseline, *others = [open_run(run) for run in runs]
    for other in others:
        _same_data(baseline, other)
    task = load_task(baseline.task)
    first, *tables = [match(task, run.source(), []) for run in (baseline, *others)]
    if metrics is None:
        metrics = usual(baseline.metrics(task), first.has_bare)
    choices = choose(metrics, judge=judge, encoder=encoder)
    pairs = [_pair(first, table, choices, lang, most) for table in tables]
    corrected = iter(holm([one.p_randomization for pair in pairs for one in pair.differences.values()]))
    return Comparison(
        str(baseline.path),
        [
            replace(pair, differences={n: replace(d, p_holm=next(corrected)) for n, d in pair.differences.items()})
            for pair in pairs
        ],
    )


def _same_data(baseline: FinishedRun, other: FinishedRun) -> None:
    ours, theirs = _fields(baseline), _fields(other)
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            values = " and ".join(json.dumps(side.get(name), ensure_ascii=False)[:80] for side in (ours, theirs))
            raise RunError(
                f"{baseline.path} and {other.path} cannot be compared: their {name} differs ({values}). "
                "Compare runs of one task on the same data."
            )


def _fields(run: FinishedRun) -> dict[str, Any]:
    data = run.run.fingerprint["data"]
    ignored = NOT_THE_DATA if data.get("sha256") else ()
    return {"task": run.task, **{f"data.{name}": value for name, value in data.items() if name not in ignored}}


def _pair(first: Table, second: Table, choices: Sequence[Choice], lang: str | None, most: int) -> Pair:
    ours, theirs = _keyed(first), _keyed(second)
    shared = [key for key in ours if key in theirs]
    if not shared:
        raise RunError(f"{first.name} and {second.name} have no scored sample in common.")
    sides = [replace(table, rows=[rows[key] for key in shared]) for table, rows in ((first, ours), (second, theirs))]
    measured = [measure(table, choices, lang) for table in sides]
    differences: dict[str, Difference] = {}
    changes: list[Change] = []
    for one, other, names in zip(*measured, figure_names(measured[0]), strict=True):
        for part, found in _differences(one, other).items():
            name = names[part]
            differences[name], scores = found
            if len(differences) == 1:
                changes = list(islice(_changes(name, scores, sides), most))
    return Pair(second.name, len(ours) + len(theirs) - 2 * len(shared), differences, changes)


def _keyed(table: Table) -> dict[Key, Scored]:
    return dict(zip(keys((row.id, row.columns) for row in table.rows), table.rows, strict=True))


Singles = list[tuple[float, float] | None]
"""The score of each sample, of all its epochs, by both systems; None where it has none of its own."""


def _differences(one: Measured, other: Measured) -> dict[str, tuple[Difference, Singles]]:
    before, after = one.aggregate(one.statistics), other.aggregate(other.statistics)
    tests = paired(one.aggregate, one.statistics, other.statistics, one.samples)
    places = _places(one.samples).values()
    singles = [[side.aggregate(side.statistics[rows]) for rows in places] for side in (one, other)]
    found = {}
    for part, test in tests.items():
        if part in one.choice.kind.counts:
            continue
        scores: Singles = [
            (a[part], b[part]) if part in a and part in b else None for a, b in zip(*singles, strict=True)
        ]
        difference = Difference(
            before[part],
            after[part],
            after[part] - before[part],
            test.spread.ci95,
            test.p_bootstrap,
            test.p_randomization,
            test.p_randomization,
            *_outcomes(scores, lower=part in one.choice.kind.lower_is_better),
            one.size(part, range(len(one.samples))),
            one.signature(range(len(one.statistics))),
        )
        found[part] = difference, scores
    return found


def _places(samples: Sequence[str | int]) -> dict[str | int, list[int]]:
    """Return where the rows of each sample are."""
    found: dict[str | int, list[int]] = {}
    for place, sample in enumerate(samples):
        found.setdefault(sample, []).append(place)
    return found


def _outcomes(scores: Singles, lower: bool) -> tuple[int | None, int | None, int | None]:
    changes = [(b - a) * (-1 if lower else 1) for a, b in filter(None, scores)]
    if not changes:
        return None, None, None
    wins, losses = (sum(sign * change > ROUNDING for change in changes) for sign in (1, -1))
    return wins, len(changes) - wins - losses, losses


def _changes(figure: str, scores: Singles, sides: Sequence[Table]) -> Iterator[Change]:
    """Yield the samples that changed, most first, with the texts of their first epoch."""
    places = [rows[0] for rows in _places(sides[0].samples).values()]
    every = zip(places, scores, strict=True)
    changed = [(place, pair) for place, pair in every if pair and abs(pair[1] - pair[0]) > ROUNDING]
    for place, pair in sorted(changed, key=lambda each: -abs(each[1][1] - each[1][0])):
        one, other = (side.rows[place] for side in sides)
        yield Change(one.id, figure, pair, (one.prediction, other.prediction), one.references)
