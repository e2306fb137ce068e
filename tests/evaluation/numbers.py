"""Metrics whose right answers are plain: the predictions are numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nlptasks.metrics.base import Metric

if TYPE_CHECKING:
    from nlptasks.metrics.base import Statistics


class Mean(Metric):
    """The mean of the numbers."""

    name = "mean"
    divisible = True
    reads_references = False

    def statistics(
        self, predictions: Sequence[str], references: Sequence[Sequence[str]], **columns: Sequence[Any]
    ) -> Statistics:
        return np.array([[float(text)] for text in predictions]).reshape(-1, 1)

    def aggregate(self, statistics: Statistics) -> dict[str, float]:
        return {"mean": float(statistics.mean())}


class Positive(Mean):
    """The mean, and that of the positive numbers alone, which not every set of samples has."""

    name = "positive"

    def aggregate(self, statistics: Statistics) -> dict[str, float]:
        above = statistics[statistics > 0]
        return {**super().aggregate(statistics), **({"positive": float(above.mean())} if len(above) else {})}


class Ratio(Mean):
    """A figure of the whole: the sum of the squares over that of the numbers. Less is better."""

    name = "ratio"
    lower_is_better = frozenset({"ratio"})

    def aggregate(self, statistics: Statistics) -> dict[str, float]:
        return {"ratio": float((statistics**2).sum() / max(statistics.sum(), 1e-6))}
