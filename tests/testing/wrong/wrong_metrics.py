"""A right metric, and what an author may get wrong about one: each class in one way."""
# mypy: ignore-errors

from __future__ import annotations

import re

import numpy as np

from nlptasks import Metric
from nlptasks.text import words


class RightMetric(Metric):
    """The share of a prediction's words that its best reference has."""

    name = "right-metric"

    def tokens(self, text):
        return words(text, self.lang)

    def share(self, prediction, reference):
        said, known = self.tokens(prediction), set(self.tokens(reference))
        return 100 * sum(word in known for word in said) / len(said) if said else 0.0

    def statistics(self, predictions, references, **columns):
        pairs = zip(predictions, references, strict=True)
        return np.array([[max(self.share(p, r) for r in texts)] for p, texts in pairs], dtype=np.float64)

    def aggregate(self, statistics):
        return {self.name: float(statistics.mean())}


class RenamedMetric(RightMetric):
    name = "another"


class Unsigned(RightMetric):
    name = "unsigned"
    signature = "overlap"


class Flat(RightMetric):
    def statistics(self, predictions, references, **columns):
        return super().statistics(predictions, references)[:, 0]


class Whole(RightMetric):
    def statistics(self, predictions, references, **columns):
        return super().statistics(predictions, references).astype(int)


class Undefined(RightMetric):
    def statistics(self, predictions, references, **columns):
        found = super().statistics(predictions, references)
        return np.where(found < 100, np.nan, found)


class Computing(RightMetric):
    def _compute(self, predictions, references, **columns):
        return {self.name: float(np.median(self.statistics(predictions, references)))}


class Single(RightMetric):
    def aggregate(self, statistics):
        return float(statistics.mean())


class Relative(RightMetric):
    def statistics(self, predictions, references, **columns):
        found = super().statistics(predictions, references)
        return found - found.mean()


class LastCounts(RightMetric):
    def aggregate(self, statistics):
        return {self.name: float(statistics[-1, 0])}


class Fraction(RightMetric):
    def aggregate(self, statistics):
        return {self.name: float(statistics.mean() / 100)}


class Latin(RightMetric):
    def tokens(self, text):
        return re.findall(r"[a-z]+", text.lower())


class Told(RightMetric):
    name = "told"

    def tokens(self, text):
        return list(text) if self.lang == "zh" else re.findall(r"[a-zäöüß]+", text.lower())


class Generous(RightMetric):
    def share(self, prediction, reference):
        return 100.0


class Dividing(RightMetric):
    def aggregate(self, statistics):
        return {self.name: float(100 / np.mean(100 / statistics))} if statistics.all() else {self.name: float("nan")}


class DroppingMetric(RightMetric):
    def statistics(self, predictions, references, **columns):
        pairs = list(zip(predictions, references, strict=False))
        return super().statistics([p for p, _ in pairs], [r for _, r in pairs])


class Unpicklable(RightMetric):
    def __init__(self, *, lang=None):
        super().__init__(lang=lang)
        self.clean = lambda text: text


class Forgetful(RightMetric):
    best = 1

    def __init__(self, *, lang=None):
        super().__init__(lang=lang)
        self.best = 100

    def __getstate__(self):
        return {name: value for name, value in super().__getstate__().items() if name != "best"}

    def aggregate(self, statistics):
        return {self.name: float(statistics.mean() * self.best / 100)}


class PrintingMetric(RightMetric):
    def aggregate(self, statistics):
        print("scoring ...")  # noqa: T201
        return super().aggregate(statistics)


class NotAMetric:
    name = "not-a-metric"

    def __init__(self, lang):
        self.lang = lang
