"""Translation edit rate, through sacreBLEU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nlptasks.metrics.sacre import CHINESE, UNSPACED, SacreMetric


class Ter(SacreMetric):
    """TER (Snover et al., 2006, https://aclanthology.org/2006.amta-papers.25), as sacreBLEU computes it.

    Edits for each hundred words of the reference: 0 is best, and a bad translation may exceed 100. The options are
    sacreBLEU's. ``normalized`` and ``asian_support`` of None are on for Chinese and Japanese, which are then compared
    character by character (runs of kana stay whole), and off elsewhere; Thai and other languages without spaces are
    split into characters before.
    """

    name = "ter"
    original = "TER"
    lower_is_better = frozenset({"ter"})
    citation = "Snover et al. 2006: A Study of Translation Edit Rate with Targeted Human Annotation"

    def __init__(
        self,
        *,
        lang: str | None = None,
        normalized: bool | None = None,
        asian_support: bool | None = None,
        no_punct: bool = False,
        case_sensitive: bool = False,
    ) -> None:
        super().__init__(lang=lang)
        self.normalized = normalized
        self.asian_support = asian_support
        self.no_punct = no_punct
        self.case_sensitive = case_sensitive

    def options(self, lang: str) -> Mapping[str, Any]:
        asian = lang in CHINESE or lang == "ja"
        return {
            "normalized": asian if self.normalized is None else self.normalized,
            "asian_support": asian if self.asian_support is None else self.asian_support,
            "no_punct": self.no_punct,
            "case_sensitive": self.case_sensitive,
        }

    def prepared(self, text: str, lang: str) -> str:
        whole = super().prepared(text, lang)
        return " ".join(whole) if lang in UNSPACED else whole

    @property
    def signature_parts(self) -> Mapping[str, str]:
        parts = super().signature_parts
        return {**parts, "tok": f"char+{parts['tok']}"} if self._known_language in UNSPACED else parts
