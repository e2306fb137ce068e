"""ROUGE: how many n-grams and subsequences a summary shares with its reference (Lin 2004)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from rouge_score.scoring import fmeasure

from nlptasks.metrics._lcs import Tokens
from nlptasks.metrics._shared import LanguageMetric, one_of, paired, primary
from nlptasks.metrics._tokens import STEMMERS, TOKENIZERS, default_stemmer, default_tokenizer, tokenizer
from nlptasks.text import sentences

if TYPE_CHECKING:
    from nlptasks.metrics.base import Statistics

PARTS = ("rouge1", "rouge2", "rougeL", "rougeLsum")
Scores = tuple[float, ...]
_COMBINE: dict[str, Callable[[list[Scores]], Scores]] = {
    "max": lambda each: tuple(map(max, zip(*each, strict=True))),
    "mean": lambda each: tuple(sum(part) / len(each) for part in zip(*each, strict=True)),
    "best": lambda each: max(each, key=itemgetter(0)),
}


class Rouge(LanguageMetric):
    """ROUGE-1, ROUGE-2, ROUGE-L and ROUGE-Lsum F-measures, as rouge_score computes them.

    English is scored exactly as ``RougeScorer(use_stemmer=True)`` does, the setting that figures on
    CNN/DailyMail are quoted with (and not the default of ``evaluate``: take ``stemmer="none"`` for
    that one). Other languages get words of their own, see ``default_tokenizer``.

    Args:
        lang: language of the texts, None to detect it.
        multi: of several references, take the ``max`` for each part (as rouge_score does), the ``mean``, or all
            parts of the ``best``, which is the one with the highest ROUGE-1 (as figures on SciTLDR do).
        tokenizer: ``stock``, ``words``, ``char``, ``jieba`` or ``spaces`` instead of the language's own.
            German figures published with rouge_score and Cistem used ``stock``, which splits at umlauts.
        stemmer: ``porter``, ``cistem`` or ``none`` instead of the language's own.
        lsum: what a sentence is for ROUGE-Lsum: a line (``newline``, as in rouge_score; the default for
            English), or where a text is one line, what ``nlptasks.text`` finds (``split``; the default elsewhere).
        count: ``all`` n-grams, or each of the ``distinct`` ones once, as the packages rouge and rouge-chinese do;
            many Chinese figures are theirs. ROUGE-L is then that of rouge-chinese, and ROUGE-Lsum rouge's ROUGE-L.

    Raises:
        UnknownNameError: an option has no such value.
    """

    name = "rouge"
    citation = "Lin (2004), ROUGE: A Package for Automatic Evaluation of Summaries, https://aclanthology.org/W04-1013"

    def __init__(
        self,
        *,
        lang: str | None = None,
        multi: str = "max",
        tokenizer: str | None = None,
        stemmer: str | None = None,
        lsum: str | None = None,
        count: str = "all",
    ) -> None:
        super().__init__(lang=lang)
        self.multi = one_of("value of multi", multi, _COMBINE)
        self.tokenizer = tokenizer and one_of("tokenizer", tokenizer, TOKENIZERS)
        self.stemmer = stemmer and one_of("stemmer", stemmer, STEMMERS)
        self.lsum = lsum and one_of("value of lsum", lsum, ("newline", "split"))
        self.count = one_of("value of count", count, ("all", "distinct"))

    @property
    def signature_parts(self) -> Mapping[str, str]:
        lang = self._scored_in and primary(self._scored_in)
        tok, stem, lsum = self._settings(lang) if lang else (self.tokenizer, self.stemmer, self.lsum)
        settings = {"tok": tok or "auto", "stem": stem or "auto", "lsum": lsum or "auto", "case": "lower"}
        counted = {} if self.count == "all" else {"count": self.count}
        origin = {"refs": self.multi, "rouge_score": version("rouge_score")}
        return {**super().signature_parts, **settings, **counted, **origin}

    def statistics(
        self, predictions: Sequence[str], references: Sequence[Sequence[str]], **columns: Sequence[Any]
    ) -> Statistics:
        """Return the F-measure of each part (0-100) for each sample; a text without words scores 0.

        Raises:
            ValueError: a prediction has no reference.
        """
        rows = paired(self.name, predictions, references)
        lang = self.language(references)
        tok, stem, lsum = self._settings(lang)
        tokens, distinct = tokenizer(tok, stem, lang), self.count == "distinct"

        def read(text: str) -> _Text:
            lines = [line for line in text.split("\n") if line]
            if lsum == "split" and len(lines) == 1:
                lines = sentences(text, lang)
            return _Text([tokens(line) for line in lines], distinct)

        combine = _COMBINE[self.multi]
        scores = []
        for prediction, texts in rows:
            summary = read(prediction)
            scores.append(combine([_score(summary, read(text), distinct) for text in texts]))
        return 100 * np.array(scores, dtype=np.float64).reshape(-1, len(PARTS))

    def aggregate(self, statistics: Statistics) -> dict[str, float]:
        return dict(zip(PARTS, statistics.mean(axis=0).tolist(), strict=True))

    def _settings(self, lang: str) -> tuple[str, str, str]:
        """Return tokenizer, stemmer and sentence rule for texts in ``lang``."""
        tok = self.tokenizer or default_tokenizer(lang)
        stem = self.stemmer or ("none" if tok in ("char", "jieba") else default_stemmer(lang))
        return tok, stem, self.lsum or ("newline" if lang == "en" else "split")


class _Text:
    """A text in tokens, with what is counted of them."""

    def __init__(self, lines: list[list[str]], distinct: bool) -> None:
        self.lines = [Tokens(line) for line in lines if line]
        self.all = Tokens([token for line in lines for token in line])
        self.unigrams = _counted(self.all.tokens, distinct)
        self.bigrams = _counted(pairwise(self.all.tokens), distinct)


def _counted(items: Iterable[Any], distinct: bool) -> Counter[Any]:
    return Counter(set(items) if distinct else items)


def _score(summary: _Text, reference: _Text, distinct: bool) -> Scores:
    sizes = len(summary.all.tokens), len(reference.all.tokens)
    kinds = (summary.unigrams.total(), reference.unigrams.total()) if distinct else sizes
    common = reference.all.longest(summary.all.tokens)
    # one sentence on each side: its subsequence is the union
    single = len(summary.lines) == 1 == len(reference.lines) and not distinct
    return (
        _f(_overlap(summary.unigrams, reference.unigrams), *kinds),
        _f(_overlap(summary.bigrams, reference.bigrams), summary.bigrams.total(), reference.bigrams.total()),
        _f(common, *sizes),
        _f(common if single else _union_lcs(reference, summary), *kinds),
    )


def _f(hits: int, predicted: int, expected: int) -> float:
    score: float = fmeasure(hits / max(predicted, 1), hits / max(expected, 1))
    return score


def _overlap(a: Counter[Any], b: Counter[Any]) -> int:
    return sum(min(count, b[key]) for key, count in a.items() if key in b)


def _union_lcs(reference: _Text, summary: _Text) -> int:
    """Return how many tokens the sentences of ``reference`` share with any of ``summary``, each used once."""
    shared: Counter[str] = Counter()
    for line in reference.lines:
        union = 0
        for other in summary.lines:
            union |= line.members(other.tokens)
        shared.update(token for place, token in enumerate(line.tokens) if union >> place & 1)
    return _overlap(shared, summary.unigrams)
