"""The chrF and chrF++ scores, through sacreBLEU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nlptasks.errors import ConfigError
from nlptasks.metrics.sacre import SacreMetric


class Chrf(SacreMetric):
    """chrF (Popović, 2015, https://aclanthology.org/W15-3049), 0-100, as sacreBLEU computes it.

    It needs no tokenizer, so it is the same for every language. ``char_order`` and ``word_order`` are the longest
    n-grams of characters and words: ``word_order=2`` is chrF++. ``beta`` weighs recall against precision.
    """

    name = "chrf"
    original = "CHRF"
    citation = "Popović 2015: chrF; Popović 2017: chrF++; Post 2018: A Call for Clarity in Reporting BLEU Scores"

    def __init__(
        self,
        *,
        lang: str | None = None,
        char_order: int = 6,
        word_order: int = 0,
        beta: int = 2,
        lowercase: bool = False,
    ) -> None:
        super().__init__(lang=lang)
        for name, value, least in (("char_order", char_order, 1), ("word_order", word_order, 0), ("beta", beta, 1)):
            if value < least:
                raise ConfigError(f"chrf: {name} must be at least {least}, not {value}.")
        self.char_order = char_order
        self.word_order = word_order
        self.beta = beta
        self.lowercase = lowercase

    def options(self, lang: str) -> Mapping[str, Any]:
        return {
            "char_order": self.char_order,
            "word_order": self.word_order,
            "beta": self.beta,
            "lowercase": self.lowercase,
        }
