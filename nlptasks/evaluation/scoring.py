"""From rows to scores: statistics once for each row, then every figure from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nlptasks.errors import InputError, PluginError, UnknownNameError, UsageError
from nlptasks.evaluation import parallel
from nlptasks.evaluation.bootstrap import spreads
from nlptasks.evaluation.metrics import Choice, choose, usual
from nlptasks.evaluation.results import Score, Scores
from nlptasks.evaluation.source import FinishedRun, Given, check_mapping, find_run, open_run, read_source
from nlptasks.evaluation.table import Scored, Table, joined, match, named
from nlptasks.job import load_task
from nlptasks.text import detect_language

if TYPE_CHECKING:
    from nlptasks.metrics.base import Metric, Statistics

MOST_GROUPS = 100


@dataclass(frozen=True)
class Measured:
    """What a metric made of the rows; ``metrics`` is it in the language of each row, ``samples`` whose row it is."""

    choice: Choice
    statistics: Statistics
    metrics: Sequence[Metric]
    samples: Sequence[str | int]

    def aggregate(self, statistics: Statistics) -> dict[str, float]:
        """Return the figures of any of the rows."""
        figures = self.metrics[0].aggregate(statistics)
        if not isinstance(figures, Mapping):  # a third party's metric may return anything
            raise PluginError(f"{self.choice.label} aggregates to a {type(figures).__name__}, not to scores by name.")
        return dict(figures)

    def size(self, part: str, rows: Sequence[int]) -> int:
        """Return how many samples a part is of, among some rows."""
        mine = self.metrics[0].rows_of(part, self.statistics[list(rows)])
        return len({self.samples[row] for row, counted in zip(rows, mine, strict=True) if counted})

    def signature(self, rows: Sequence[int]) -> str:
        """Return the signature for some rows, of all their languages."""
        used = {id(metric): metric for metric in (self.metrics[row] for row in rows)}
        return " + ".join(dict.fromkeys(metric.signature for metric in used.values()))


def score(
    task: str | Path,
    predictions: Given | None = None,
    references: Given | None = None,
    *,
    metrics: str | Sequence[str | Metric] | None = None,
    lang: str | None = None,
    by: str | None = None,
    allow_missing: bool = False,
    columns: Mapping[str, str] | None = None,
    judge: str | None = None,
    encoder: str | None = None,
) -> Scores:
    """Score predictions against references, or the predictions of a run, without running any task.

    Args:
        task: the name of a task, or a run: its directory or output file.
        predictions: a file, a list of ``Path`` for files of which some hold further columns, such as
            ``no_answer_score``, or a list of texts or rows; None for a run.
        references: a file, a list of ``Path`` for several references each, or a list of texts, of lists of texts
            or of rows. None looks for them in the predictions' own columns.
        metrics: names, such as ``"rouge,chrf:word_order=2"`` or a list of them, or metrics; None takes the run's
            or the task's own.
        lang: the language of the predictions; None goes by what the run was told, or by each row's ``target_lang``
            or ``lang``, or else detects it.
        by: a column by whose values to break the scores down.
        allow_missing: score a prediction that is absent as empty, and count it.
        columns: what the files call a column: ``{"references": "gold"}``.
        judge: ``provider/model`` of the judge, which adds the metric ``llm_judge``; None takes the run's.
        encoder: the encoder to add the metric ``embedding_similarity`` with; None takes the run's.

    Raises:
        UsageError, RunError, PluginError, BackendError: each says what to do.
    """
    run = _run(task) if predictions is None else None
    kind = load_task(run.task if run else str(task))
    ours = (
        run.source()
        if run
        else joined([read_source(one, "prediction", "predictions") for one in _several(predictions)])
    )
    theirs = [read_source(one, "references", "references") for one in _several(references)]
    renamed = dict(columns or {})
    check_mapping(renamed, [ours, *theirs])
    ours, theirs = ours.renamed(renamed), [source.renamed(renamed) for source in theirs]
    table = match(kind, ours, theirs, allow_missing)
    if metrics is None:
        metrics = usual(run.metrics(kind) if run else kind.metrics, table.has_bare)
    choices = choose(metrics, judge=judge, encoder=encoder)
    return score_table(table, choices, lang=lang, by=by, run=str(run.path) if run else None)


def _run(given: str | Path) -> FinishedRun:
    if find_run(given) is None and not Path(given).exists() and "/" not in str(given):
        load_task(str(given))
        raise UsageError(f"No predictions of {given} to score: name a file, --predictions FILE, or a run's directory.")
    return open_run(given)


def _several(given: Given | None) -> Sequence[Given]:
    if given is None:
        return []
    if isinstance(given, str | Path) or not given or not all(isinstance(one, Path) for one in given):
        return [given]
    return list(given)


def score_table(
    table: Table, choices: Sequence[Choice], *, lang: str | None = None, by: str | None = None, run: str | None = None
) -> Scores:
    """Return the scores of a table; ``run`` is the directory they are of.

    Raises:
        InputError: a metric lacks what it needs.
        UnknownNameError: no row has the column ``by``.
    """
    groups = _groups(table, by)
    measured = measure(table, choices, lang)
    scored = {name: _scores(measured, rows) for name, rows in groups.items()}
    counted = {
        part: int(value)
        for one in measured
        for part, value in one.aggregate(one.statistics).items()
        if part in one.choice.kind.counts
    }
    return Scores(_scores(measured, range(len(table.rows))), {**table.counts, **counted}, scored, run)


def measure(table: Table, choices: Sequence[Choice], lang: str | None = None) -> list[Measured]:
    """Return what each metric makes of the rows, each row in its own language.

    Raises:
        InputError: a metric lacks what it needs.
    """
    languages = _languages(table.rows, lang or table.lang)
    return [_measure(table, choice, languages) for choice in choices]


def _measure(table: Table, choice: Choice, languages: Sequence[str | None]) -> Measured:
    if choice.kind.reads_references and not table.has_references:
        raise InputError(
            f"{choice.label} needs references, and {table.name} has none: score it with --references FILE, "
            "or with other --metrics."
        )
    built = {language: choice.build(language) for language in dict.fromkeys(languages)}
    parts, places = [], []
    for language, metric in built.items():
        rows = [place for place, one in enumerate(languages) if one == language]
        parts.append(_statistics(choice, metric, [table.rows[row] for row in rows]))
        places += rows
    statistics = np.empty((len(places), parts[0].shape[1]))
    statistics[places] = np.concatenate(parts)
    return Measured(choice, statistics, [built[language] for language in languages], table.samples)


def _statistics(choice: Choice, metric: Metric, rows: Sequence[Scored]) -> Statistics:
    known = [name for name in metric.columns if any(row.columns.get(name) is not None for row in rows)]
    columns = {name: [row.columns.get(name) for row in rows] for name in known}
    try:
        found = parallel.statistics(metric, [row.prediction for row in rows], [row.references for row in rows], columns)
    except ValueError as error:
        bare = {row.id for row in rows if not row.references}
        if choice.kind.reads_references and bare:
            raise InputError(
                f"{choice.label}: no reference for {named(bare)}. Leave them out, or where no answer is the right one "
                "take --metrics squad_v2."
            ) from None
        raise InputError(str(error)) from None
    if getattr(found, "ndim", 0) != 2 or len(found) != len(rows):
        shape = getattr(found, "shape", type(found).__name__)
        raise PluginError(
            f"{choice.label} gave statistics of shape {shape} for {len(rows)} samples, not a row for each."
        )
    return found


def _languages(rows: Sequence[Scored], lang: str | None) -> list[str | None]:
    """Return the language of each row; where no column tells, that of the references together."""
    if lang is not None:
        return [lang] * len(rows)
    told = [next((str(v) for v in map(row.columns.get, ("target_lang", "lang")) if v), None) for row in rows]
    texts = [text for row, known in zip(rows, told, strict=True) if not known for text in row.references]
    detected = detect_language("\n".join(texts)) if texts else None
    return [known or detected for known in told]


def _scores(measured: Sequence[Measured], rows: Sequence[int]) -> dict[str, Score]:
    found: dict[str, Score] = {}
    for one, names in zip(measured, figure_names(measured), strict=True):
        statistics, samples = one.statistics[list(rows)], [one.samples[row] for row in rows]
        around, signature = spreads(one.aggregate, statistics, samples), one.signature(rows)
        for part, value in one.aggregate(statistics).items():
            if part not in one.choice.kind.counts:
                spread = around[part]
                size = one.size(part, rows)
                found[names.get(part, part)] = Score(value, spread.stderr, spread.ci95, size, signature)
    return found


def figure_names(measured: Sequence[Measured]) -> list[dict[str, str]]:
    """Return for each metric what its parts are called: the metric's name before it where two share a part."""
    parts = [list(one.aggregate(one.statistics)) for one in measured]
    shared = Counter(part for names in parts for part in names)
    return [
        {part: part if shared[part] == 1 else _prefixed(one.choice, part) for part in names}
        for one, names in zip(measured, parts, strict=True)
    ]


def _prefixed(choice: Choice, part: str) -> str:
    return choice.label if part == choice.kind.name else f"{choice.label}_{part}"


def _groups(table: Table, by: str | None) -> dict[str, list[int]]:
    if by is None:
        return {}
    if not any(by in row.columns for row in table.rows):
        known = table.rows[0].columns
        raise UnknownNameError("column", by, known, f"{table.name} has: {', '.join(known)}")
    groups: dict[str, list[int]] = {}
    for place, row in enumerate(table.rows):
        groups.setdefault(str(row.columns.get(by, "")) or "(none)", []).append(place)
    if len(groups) > MOST_GROUPS:
        raise UsageError(f"The column {by!r} has {len(groups)} values: break down by one with at most {MOST_GROUPS}.")
    return dict(sorted(groups.items()))
