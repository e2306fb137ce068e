"""The metric: how many of the keywords are right, and how many were found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nlptasks import Metric
from nlptasks.text import words

if TYPE_CHECKING:
    from nlptasks.metrics.base import Statistics

_SEPARATOR = re.compile(r"[;；\n]")


class KeywordF1(Metric):
    """Precision, recall and F1 (0-100) of a set of keywords, the mean over the samples.

    All references of a sample together are its keywords: each is one, or several with ';' between them.
    Two keywords are the same if their words are, whatever their case and punctuation.
    """

    name = "keyword_f1"
    divisible = True

    @property
    def signature_parts(self) -> Mapping[str, str]:
        return {"norm": "words", "mean": "sample"}

    def statistics(
        self, predictions: Sequence[str], references: Sequence[Sequence[str]], **columns: Sequence[Any]
    ) -> Statistics:
        """Return F1, precision and recall for each sample."""
        pairs = zip(predictions, references, strict=True)
        rows = [_scores(self._keywords([found]), self._keywords(expected)) for found, expected in pairs]
        return 100 * np.array(rows, dtype=np.float64).reshape(-1, 3)

    def aggregate(self, statistics: Statistics) -> dict[str, float]:
        return dict(zip(("f1", "precision", "recall"), statistics.mean(axis=0).tolist(), strict=True))

    def _keywords(self, texts: Sequence[str]) -> set[tuple[str, ...]]:
        keywords = {tuple(words(part, self.lang)) for text in texts for part in _SEPARATOR.split(text)}
        return keywords - {()}


def _scores(found: set[tuple[str, ...]], expected: set[tuple[str, ...]]) -> tuple[float, float, float]:
    if found == expected:  # both may be empty
        return 1.0, 1.0, 1.0
    hits = len(found & expected)
    return 2 * hits / (len(found) + len(expected)), hits / max(1, len(found)), hits / max(1, len(expected))
