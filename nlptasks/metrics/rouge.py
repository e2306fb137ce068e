"""ROUGE: how many n-grams and subsequences a summary shares with its reference (Lin 2004)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from rouge_score.scoring import fmeasure

from nlptasks.metrics._shared import LanguageMetric, one_of, paired, primary
from nlptasks.metrics._tokens import STEMMERS, TOKENIZERS, default_stemmer, default_tokenizer, tokenizer
from nlptasks.text import sentences

if TYPE_CHECKING:
    from nlptasks.metrics.base import Statistics

PARTS = ("rouge1", "rouge2", "rougeL", "rougeLsum")
_COMBINE: dict[str, Callable[[list[float]], float]] = {"max": max, "mean": lambda scores: sum(scores) / len(scores)}


class Rouge(LanguageMetric):
    """ROUGE-1, ROUGE-2, ROUGE-L and ROUGE-Lsum F-measures, as rouge_score computes them.

    English is scored exactly as ``RougeScorer(use_stemmer=True)`` does, the setting that figures on
    CNN/DailyMail are quoted with (and not the default of ``evaluate``: take ``stemmer="none"`` for
    that one). Other languages get words of their own, see ``default_tokenizer``.

    Args:
        lang: language of the texts, None to detect it.
        multi: of several references, take the ``max`` for each part (as rouge_score does) or the ``mean``.
        tokenizer: ``stock``, ``words``, ``char``, ``jieba`` or ``spaces`` instead of the language's own.
            German figures published with rouge_score and Cistem used ``stock``, which splits at umlauts.
        stemmer: ``porter``, ``cistem`` or ``none`` instead of the language's own.
        lsum: what a sentence is for ROUGE-Lsum: a line (``newline``, as in rouge_score; the default for
            English), or where a text is one line, what ``nlptasks.text`` finds (``split``; the default elsewhere).

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
    ) -> None:
        super().__init__(lang=lang)
        self.multi = one_of("value of multi", multi, _COMBINE)
        self.tokenizer = tokenizer and one_of("tokenizer", tokenizer, TOKENIZERS)
        self.stemmer = stemmer and one_of("stemmer", stemmer, STEMMERS)
        self.lsum = lsum and one_of("value of lsum", lsum, ("newline", "split"))

    @property
    def signature_parts(self) -> Mapping[str, str]:
        lang = self._scored_in and primary(self._scored_in)
        tok, stem, lsum = self._settings(lang) if lang else (self.tokenizer, self.stemmer, self.lsum)
        settings = {"tok": tok or "auto", "stem": stem or "auto", "lsum": lsum or "auto", "case": "lower"}
        return {**super().signature_parts, **settings, "refs": self.multi, "rouge_score": version("rouge_score")}

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
        tokens = tokenizer(tok, stem, lang)

        def read(text: str) -> _Text:
            lines = [line for line in text.split("\n") if line]
            if lsum == "split" and len(lines) == 1:
                lines = sentences(text, lang)
            return _Text([tokens(line) for line in lines])

        combine = _COMBINE[self.multi]
        scores = []
        for prediction, texts in rows:
            summary = read(prediction)
            each = [_score(summary, read(text)) for text in texts]
            scores.append([100 * combine(list(part)) for part in zip(*each, strict=True)])
        return np.array(scores, dtype=np.float64).reshape(-1, len(PARTS))

    def aggregate(self, statistics: Statistics) -> dict[str, float]:
        return dict(zip(PARTS, statistics.mean(axis=0).tolist(), strict=True))

    def _settings(self, lang: str) -> tuple[str, str, str]:
        """Return tokenizer, stemmer and sentence rule for texts in ``lang``."""
        tok = self.tokenizer or default_tokenizer(lang)
        stem = self.stemmer or ("none" if tok in ("char", "jieba") else default_stemmer(lang))
        return tok, stem, self.lsum or ("newline" if lang == "en" else "split")


class _Text:
    """A text in tokens, with what is counted of them."""

    def __init__(self, lines: list[list[str]]) -> None:
        self.lines = [line for line in lines if line]
        self.tokens = [token for line in self.lines for token in line]
        self.unigrams = Counter(self.tokens)
        self.bigrams = Counter(pairwise(self.tokens))

    @cached_property
    def positions(self) -> dict[str, int]:
        return _positions(self.tokens)


def _score(summary: _Text, reference: _Text) -> tuple[float, float, float, float]:
    sizes = len(summary.tokens), len(reference.tokens)
    common = _lcs_length(reference, summary)
    # one sentence on each side: its subsequence is the union
    single = len(summary.lines) == 1 == len(reference.lines)
    return (
        _f(_overlap(summary.unigrams, reference.unigrams), *sizes),
        _f(_overlap(summary.bigrams, reference.bigrams), sizes[0] - 1, sizes[1] - 1),
        _f(common, *sizes),
        _f(common if single else _union_lcs(reference, summary), *sizes),
    )


def _f(hits: int, predicted: int, expected: int) -> float:
    score: float = fmeasure(hits / max(predicted, 1), hits / max(expected, 1))
    return score


def _overlap(a: Counter[Any], b: Counter[Any]) -> int:
    return sum(min(count, b[key]) for key, count in a.items() if key in b)


def _positions(tokens: list[str]) -> dict[str, int]:
    """Return for each token where it stands, as the bits of a number."""
    found: dict[str, int] = {}
    for place, token in enumerate(tokens):
        found[token] = found.get(token, 0) | 1 << place
    return found


def _lcs_columns(positions: Mapping[str, int], size: int, candidate: list[str]) -> list[int]:
    """Return the columns of the table of longest common subsequences, one for each token of ``candidate``.

    Bit i of a column is 0 where the table grows from row i to row i + 1. All rows are worked out at once by
    one addition (Hyyrö 2004, Bit-parallel LCS-length computation revisited).
    """
    full = (1 << size) - 1
    column, columns = full, []
    for token in candidate:
        if match := positions.get(token, 0) & column:
            column = ((column + match) | (column - match)) & full
        columns.append(column)
    return columns


def _lcs_length(reference: _Text, summary: _Text) -> int:
    if not reference.tokens or not summary.tokens:
        return 0
    size = len(reference.tokens)
    return size - _lcs_columns(reference.positions, size, summary.tokens)[-1].bit_count()


def _union_lcs(reference: _Text, summary: _Text) -> int:
    """Return how many tokens the sentences of ``reference`` share with any of ``summary``, each used once."""
    shared: Counter[str] = Counter()
    for line in reference.lines:
        positions, union = _positions(line), 0
        for candidate in summary.lines:
            union |= _lcs_members(line, positions, candidate)
        shared.update(token for place, token in enumerate(line) if union >> place & 1)
    return _overlap(shared, summary.unigrams)


def _lcs_members(line: list[str], positions: Mapping[str, int], candidate: list[str]) -> int:
    """Return which tokens of ``line`` a longest common subsequence holds: of several, the one rouge_score reads out."""
    columns = _lcs_columns(positions, len(line), candidate)
    members, row, column = 0, len(line) - 1, len(candidate) - 1
    while row >= 0 and column >= 0:
        if line[row] == candidate[column]:
            members |= 1 << row
            row, column = row - 1, column - 1
        elif columns[column] >> row & 1:
            row -= 1
        else:
            column -= 1
    return members
