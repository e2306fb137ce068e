"""How varied the words of a text are (Li et al. 2016)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from nlptasks.metrics._shared import LanguageMetric
from nlptasks.text import words

if TYPE_CHECKING:
    from nlptasks.metrics.base import Statistics


class DistinctN(LanguageMetric):
    """distinct-1 and distinct-2: distinct words, and pairs of neighbours, in percent of all of them in a text.

    The mean over the texts, as the signature says, and not the figure of all texts taken as one, which
    falls as there are more of them and so has no meaningful interval. A text without any scores 0.
    Words are those of ``nlptasks.text``: characters in Chinese, Japanese or Thai. References are not read.
    """

    name = "distinct_n"
    reads_references = False
    citation = "Li et al. (2016), A Diversity-Promoting Objective Function, https://aclanthology.org/N16-1014"

    @property
    def signature_parts(self) -> Mapping[str, str]:
        return {"tok": "words", "case": "lower", "mean": "sample"}

    def statistics(
        self, predictions: Sequence[str], references: Sequence[Sequence[str]], **columns: Sequence[Any]
    ) -> Statistics:
        """Return distinct-1 and distinct-2 (0-100) for each sample."""
        rows = []
        for prediction in predictions:
            unigrams = words(prediction, self.lang)
            rows.append([_distinct(unigrams), _distinct(list(pairwise(unigrams)))])
        return np.array(rows, dtype=np.float64).reshape(-1, 2)

    def aggregate(self, statistics: Statistics) -> dict[str, float]:
        one, two = statistics.mean(axis=0).tolist()
        return {"distinct_1": one, "distinct_2": two}


def _distinct(items: Sequence[object]) -> float:
    return 100 * len(set(items)) / len(items) if items else 0.0
