"""What the metrics on sacreBLEU share: its own statistics for each sample, and its own formula over their sums."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nlptasks.metrics._shared import LanguageMetric, paired, primary

if TYPE_CHECKING:
    from nlptasks.metrics.base import Statistics

CHINESE = frozenset({"zh", "yue", "wuu", "lzh", "hak", "nan", "gan", "hsn"})
VARYING = -1  # how sacreBLEU says that rows differ in their number of references
UNSPACED = frozenset({"th", "lo", "km", "my", "bo", "dz"})
"""Languages without spaces between words for which sacreBLEU has no tokenizer of their own."""


class SacreMetric(LanguageMetric):
    """A metric of sacreBLEU, equal to its command line and API to the last digit.

    A row may have fewer references than another, as in sacreBLEU's API; one without any is a ValueError. An empty
    prediction or reference is scored as sacreBLEU does.
    """

    original: ClassVar[str]
    """The name in ``sacrebleu.metrics.METRICS``."""

    def __init__(self, *, lang: str | None = None) -> None:
        super().__init__(lang=lang)
        self._references: int | None = None

    @abstractmethod
    def options(self, lang: str) -> Mapping[str, Any]:
        """Return the arguments of sacreBLEU's class for text in ``lang``."""

    def statistics(
        self, predictions: Sequence[str], references: Sequence[Sequence[str]], **columns: Sequence[Any]
    ) -> Statistics:
        """Return sacreBLEU's sufficient statistics.

        Raises:
            ValueError: there are not as many references as predictions, none at all, or none for a row.
        """
        rows = paired(self.name, predictions, references)
        if not rows:
            raise ValueError(f"{self.name}: there is nothing to score")
        lang = self.language(references)
        numbers = {len(texts) for texts in references}
        self._references = numbers.pop() if len(numbers) == 1 else VARYING
        texts = [self.prepared(text, lang) for text in predictions]
        streams = list(zip_longest(*([self.prepared(text, lang) for text in each] for each in references)))
        return np.array(self._scorer(lang)._extract_corpus_statistics(texts, streams), dtype=np.float64)

    def aggregate(self, statistics: Statistics) -> dict[str, float]:
        # column by column and row after row, as sacreBLEU adds: TER's mean lengths are no whole numbers
        sums = statistics.sum(axis=0).tolist()
        return {self.name: self._scorer(self._known_language)._compute_score_from_stats(sums).score}

    def prepared(self, text: str, lang: str) -> str:
        """Return ``text`` as sacreBLEU is to see it; halves of characters, which MeCab cannot read, become "?"."""
        return text.encode("utf-8", "replace").decode()

    @property
    def signature_parts(self) -> Mapping[str, str]:
        """SacreBLEU's own signature; without the number of references until some were seen."""
        scorer = self._scorer(self._known_language)
        scorer.num_refs = self._references
        return dict(part.split(":", 1) for part in scorer.get_signature().format().split("|"))

    @property
    def _known_language(self) -> str:
        return primary(self._scored_in or "und")

    def _scorer(self, lang: str) -> Any:
        return _scorer(self.original, tuple(self.options(lang).items()))


@cache
def _scorer(name: str, options: tuple[tuple[str, Any], ...]) -> Any:
    """Return a metric of sacreBLEU. Kept apart from ours, which is pickled: a MeCab tokenizer cannot be."""
    from sacrebleu.metrics import METRICS

    return METRICS[name](**dict(options))
