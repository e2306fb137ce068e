"""Exact match and F1 where some questions have no answer (Rajpurkar et al. 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nlptasks.metrics._answers import Rules
from nlptasks.metrics._shared import paired
from nlptasks.metrics.squad import AnswerMetric

if TYPE_CHECKING:
    from nlptasks.metrics.base import Statistics


class SquadV2(AnswerMetric):
    """SQuAD 2.0's exact match and F1, over all questions and over those with and without an answer.

    An empty prediction says "no answer"; a question has none if its references are empty: no entry, or
    only "". With a column ``no_answer_score`` (a number that is higher the surer the model is that there is
    none) the best thresholds on it are added: ``best_exact``, ``best_f1`` and, in the column's own unit,
    ``best_exact_thresh`` and ``best_f1_thresh``. Of equal numbers the first row's comes first, as in the official
    script. The parts ending in ``_total`` are counts; a part that no question belongs to is left out.
    """

    name = "squad_v2"
    columns = ("no_answer_score",)
    counts = frozenset({"HasAns_total", "NoAns_total"})
    citation = "Rajpurkar et al. (2018), Know What You Don't Know, https://aclanthology.org/P18-2124"

    def statistics(
        self, predictions: Sequence[str], references: Sequence[Sequence[str]], **columns: Sequence[Any]
    ) -> Statistics:
        """Return for each sample: exact match, F1 (0-100), and 0 or 1 for having an answer, for having been given
        one, for having a no-answer score; and that score.

        Raises:
            ValueError: the lists differ in length.
        """  # fmt: skip
        pairs = paired(self.name, predictions, [texts or [""] for texts in references])
        doubts = columns.get("no_answer_score", [None] * len(predictions))
        rules = self.rules_for(references)
        rows = [
            [
                *_score(rules, prediction, [text for text in texts if rules.normalize(text)] or [""]),
                any(texts),
                bool(prediction),
                doubt is not None,
                doubt or 0.0,
            ]
            for (prediction, texts), doubt in zip(pairs, doubts, strict=True)
        ]
        return np.array(rows, dtype=np.float64).reshape(-1, 6)

    def rows_of(self, part: str, statistics: Statistics) -> Sequence[bool]:
        wanted = {"HasAns": 1, "NoAns": 0}.get(part.partition("_")[0])
        return super().rows_of(part, statistics) if wanted is None else [one == wanted for one in statistics[:, 2]]

    def aggregate(self, statistics: Statistics) -> dict[str, float]:
        answerable = statistics[:, 2] == 1
        scores: dict[str, float] = {}
        groups = {"": statistics, "HasAns_": statistics[answerable], "NoAns_": statistics[~answerable]}
        for prefix, rows in groups.items():
            if len(rows):
                exact, f1 = rows[:, :2].mean(axis=0).tolist()
                scores |= {f"{prefix}exact" if prefix else "exact_match": exact, f"{prefix}f1": f1}
            if prefix:
                scores[f"{prefix}total"] = float(len(rows))
        if statistics[:, 4].all():
            for name, column in (("exact", 0), ("f1", 1)):
                scores |= _best(name, statistics, column)
        return scores


def _score(rules: Rules, prediction: str, answers: list[str]) -> tuple[float, float]:
    """Return exact match and F1 (0-100) with the nearest of ``answers``; nothing is wholly equal to nothing."""
    exact = max(rules.exact(prediction, text) for text in answers)
    both_empty = not rules.tokens(prediction) and not all(map(rules.tokens, answers))
    f1 = float(both_empty) or max(rules.f1(prediction, text) for text in answers)
    return 100 * exact, 100 * f1


def _best(name: str, statistics: Statistics, column: int) -> dict[str, float]:
    """Return the best score that saying "no answer" above some no-answer score would give, and that threshold."""
    by_doubt = statistics[np.argsort(statistics[:, 5], kind="stable")]
    answerable, answered, doubt = by_doubt[:, [2, 3, 5]].T
    # answers to no question at first, then one more at a time, the least doubted first
    none = 100 * (1 - answerable).sum()
    gains = np.where(answerable == 1, by_doubt[:, column], -100 * answered)
    totals = none + np.append(0, np.cumsum(gains))
    best = totals.argmax()
    threshold = np.append(0, doubt)[best]
    return {f"best_{name}": float(totals[best] / len(by_doubt)), f"best_{name}_thresh": float(threshold)}
