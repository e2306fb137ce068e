"""The share of predictions that equal a reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nlptasks.metrics import _answers
from nlptasks.metrics._shared import LanguageMetric, paired

if TYPE_CHECKING:
    from nlptasks.metrics.base import Statistics


class ExactMatch(LanguageMetric):
    """The share of predictions that equal one of their references, character by character.

    Args:
        lang: language of the texts, None to detect it; it matters with ``normalize`` only.
        normalize: ignore case, punctuation, white space and articles, by the rules that ``squad`` has
            for the language.
    """

    name = "exact_match"

    def __init__(self, *, lang: str | None = None, normalize: bool = False) -> None:
        super().__init__(lang=lang)
        self.normalize = normalize

    @property
    def signature_parts(self) -> Mapping[str, str]:
        if not self.normalize:
            return {"norm": "none", "refs": "max"}
        return {**super().signature_parts, "norm": "squad", "refs": "max"}

    def statistics(
        self, predictions: Sequence[str], references: Sequence[Sequence[str]], **columns: Sequence[Any]
    ) -> Statistics:
        """Return 100 or 0 for each sample.

        Raises:
            ValueError: a prediction has no reference.
        """
        rows = paired(self.name, predictions, references)
        same: Callable[[str, str], float] = str.__eq__
        if self.normalize:
            lang = self.language(references)
            same = _answers.rules(_answers.default_rules(lang), lang).exact
        scores = [any(same(prediction, text) for text in texts) for prediction, texts in rows]
        return 100 * np.array(scores, dtype=np.float64).reshape(-1, 1)

    def aggregate(self, statistics: Statistics) -> dict[str, float]:
        return {"exact_match": float(statistics.mean())}
