"""Whether runs on the same data differ by more than chance, sample by sample."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlptasks.errors import RunError, UsageError
from nlptasks.evaluation.bootstrap import ROUNDING, holm, paired
from nlptasks.evaluation.metrics import Choice, choose, usual
from nlptasks.evaluation.scoring import Measured, figure_names, measure
from nlptasks.evaluation.source import FinishedRun, open_run
from nlptasks.evaluation.table import Scored, Table, keys, match
from nlptasks.job import load_task

if TYPE_CHECKING:
    import pandas

    from nlptasks.metrics.base import Metric

NOT_THE_DATA = ("path", "bytes")  # a copy of a file is the same data


@dataclass(frozen=True)
class Difference:
    """One figure of two runs: ``difference`` is ``value - baseline``, ``ci95`` its interval of the paired bootstrap.

    The p-values are two-sided, see ``bootstrap.paired``; ``p_holm`` is that of approximate randomization after
    Holm's correction for all figures of the comparison. A win is a sample that the run did better on than the
    baseline; samples that have no such figure of their own are not counted, and where none has, all three are None.
    """

    baseline: float
    value: float
    difference: float
    ci95: tuple[float, float]
    p_bootstrap: float
    p_randomization: float
    p_holm: float
    wins: int | None
    ties: int | None
    losses: int | None
    n: int
    signature: str


@dataclass(frozen=True)
class Change:
    """A sample with the texts and the scores of both runs, the baseline's first."""

    id: str
    figure: str
    scores: tuple[float, float]
    predictions: tuple[str, str]
    references: tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """A run against the baseline; ``unpaired`` samples failed or are missing in one of the two, and are left out.

    ``changes`` are the samples whose first figure changed most.
    """

    run: str
    unpaired: int
    differences: Mapping[str, Difference]
    changes: Sequence[Change]


@dataclass(frozen=True)
class Comparison:
    """Every run against the first one, the baseline."""

    baseline: str
    pairs: Sequence[Pair]

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return asdict(self)

    def rows(self) -> Iterator[tuple[str, str, Difference]]:
        """Yield every run, figure and difference."""
        return ((pair.run, name, one) for pair in self.pairs for name, one in pair.differences.items())

    def to_markdown(self) -> str:
        """Return a table with a row for each figure of each run."""
        lines = [
            "| run | metric | baseline | value | difference | 95 % interval | p | p (Holm) | wins/ties/losses | n |",
            "|---|---|---:|---:|---:|---|---:|---:|---|---:|",
        ]
        lines += ["| " + " | ".join(cells(run, name, one)) + " |" for run, name, one in self.rows()]
        return "\n".join(lines)

    def to_pandas(self) -> pandas.DataFrame:
        """Return a frame with a row for each figure of each run."""
        import pandas

        return pandas.DataFrame([{"run": run, "metric": name, **asdict(one)} for run, name, one in self.rows()])


def cells(run: str, name: str, one: Difference) -> list[str]:
    """Return a row of the table for people."""
    low, high = one.ci95
    counts = "-" if one.wins is None else f"{one.wins}/{one.ties}/{one.losses}"
    values = [f"{one.baseline:.2f}", f"{one.value:.2f}", f"{one.difference:+.2f}", f"{low:+.2f} to {high:+.2f}"]
    return [run, name, *values, f"{one.p_randomization:.4f}", f"{one.p_holm:.4f}", counts, str(one.n)]


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


def _keyed(table: Table) -> dict[tuple[str, int], Scored]:
    return dict(zip(keys((row.id, row.columns) for row in table.rows), table.rows, strict=True))


Singles = list[tuple[float, float] | None]
"""The score of each sample by both systems, None where it has none of its own."""


def _differences(one: Measured, other: Measured) -> dict[str, tuple[Difference, Singles]]:
    before, after = one.aggregate(one.statistics), other.aggregate(other.statistics)
    tests = paired(one.aggregate, one.statistics, other.statistics, one.samples)
    singles = [_singles(side) for side in (one, other)]
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


def _singles(measured: Measured) -> list[dict[str, float]]:
    return [measured.aggregate(measured.statistics[row : row + 1]) for row in range(len(measured.statistics))]


def _outcomes(scores: Singles, lower: bool) -> tuple[int | None, int | None, int | None]:
    changes = [(b - a) * (-1 if lower else 1) for a, b in filter(None, scores)]
    if not changes:
        return None, None, None
    wins, losses = (sum(sign * change > ROUNDING for change in changes) for sign in (1, -1))
    return wins, len(changes) - wins - losses, losses


def _changes(figure: str, scores: Singles, sides: Sequence[Table]) -> Iterator[Change]:
    """Yield the samples that changed, most first."""
    changed = [(place, pair) for place, pair in enumerate(scores) if pair and abs(pair[1] - pair[0]) > ROUNDING]
    for place, pair in sorted(changed, key=lambda each: -abs(each[1][1] - each[1][0])):
        one, other = (side.rows[place] for side in sides)
        yield Change(one.id, figure, pair, (one.prediction, other.prediction), one.references)
