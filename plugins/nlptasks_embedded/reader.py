"""Question answering from sentence statistics: the sentence that has most of what the question asks about.

Sentences are ranked by BM25 (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009); a
term counts more the longer its word is, which takes the place of a list of function words for each
language.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from nlptasks.text import sentence_spans, words

K1, B = 0.6, 0.35
STEM = 4  # letters of a word that must agree
ABOUT = 0.25  # how often a sentence has a term of the heading above it
ENOUGH = 0.12  # share of the question's weight that a sentence must have to be as likely an answer as not

# Words for asking stand in no answer.
_ASKING = re.compile(
    r"\b(?:wh(?:at|ich|en|ere|o|om|ose|y)|how(?: (?:many|much|long|often))?|"
    r"welche[mnrs]?|w(?:er|en|em|essen|as|ann|o|oher|ohin|arum|ieso|eshalb)|wie(?:[ -]?viele?|[ -]?lange|[ -]?oft)?)\b|"
    "[为為]?[什甚][么麼]|哪[里裡儿兒个個些年一位]?|多少|[几幾]|何[时時地人]|[谁誰]|如何|怎[么麼样樣]*|[吗嗎呢]",
    re.IGNORECASE,
)
_HEADING = re.compile(r"#{1,6}\s|==+\s")


@dataclass(frozen=True)
class Reading:
    """Characters ``start`` to ``end`` of the context, and how likely they answer the question (0-1)."""

    start: int
    end: int
    score: float


def read(question: str, context: str) -> Reading:
    """Return the sentence of ``context`` that answers best; where none has a word of the question, score 0."""
    wanted = _terms(_ASKING.sub(" ", question))
    asked = dict(sorted(wanted, key=lambda term: term[1]))  # the longest word gives a stem its weight
    spans, sentences = [], []
    heading = Counter[str]()
    for start, end in sentence_spans(context):
        found = Counter(term for term, _ in _terms(context[start:end]))
        if _HEADING.match(context, start, end):
            heading = found
        else:
            spans.append((start, end))
            sentences.append((found.total(), {t: found[t] or ABOUT for t in asked if t in found or t in heading}))
    if not spans or not asked:
        return Reading(*spans[0], 0.0) if spans else Reading(0, 0, 0.0)
    having = Counter(term for _, found in sentences for term in found)
    idf = {term: math.log1p((len(spans) - having[term] + 0.5) / (having[term] + 0.5)) for term in asked}
    weights = {term: idf[term] * asked[term] for term in asked}
    usual = sum(length for length, _ in sentences) / len(sentences) or 1

    def rank(sentence: tuple[int, dict[str, float]]) -> float:
        length, found = sentence
        damping = K1 * (1 - B + B * length / usual)
        return sum(weights[term] * times * (K1 + 1) / (times + damping) for term, times in found.items())

    best = max(range(len(spans)), key=lambda place: rank(sentences[place]))
    share = sum(weights[term] * min(times, 1) for term, times in sentences[best][1].items()) / sum(weights.values())
    return Reading(*spans[best], share / (share + ENOUGH))


def _terms(text: str) -> Iterator[tuple[str, float]]:
    """Yield stems of words, single Chinese characters and pairs of them, each with how much it tells."""
    found = words(text)
    for word in found:
        if len(word) == 1 and not word.isascii():
            yield word, 2.5
        else:
            yield word[:STEM], max(min(len(word), 7) - 2, 0) + 0.2
    for first, second in pairwise(found):
        if len(first) == len(second) == 1 and not (first + second).isascii():
            yield first + second, 5.0
