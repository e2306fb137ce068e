"""The passage of the documentation that a question is about.

Passages are ranked by BM25 (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009) over
words and concepts. The best is an answer only if it holds most of what the question names: what speaks
of something else as well ("install a washing machine") is not about nlptasks.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from nlptasks.text import sentence_spans
from nlptasks_embedded.guide import lexicon as lex
from nlptasks_embedded.guide.concepts import CONCEPTS, concepts_in
from nlptasks_embedded.guide.pages import KINDS, Passage, passages
from nlptasks_embedded.guide.speech import fold, joined, runs, words_of

STEM = 6  # letters of a word that count: what comes later is mostly inflection
HEADING = 3  # times that a word in a heading counts
CANDIDATES = 30
SHORT = 2  # sentences of a passage that are quoted whole
LENGTH = 0.3  # BM25's b: a short passage is hardly a better answer
MOST = 0.55  # of what a question names, unless it names nlptasks
SOME = 0.3  # ... if it does
_TOOL = re.compile(lex.TOOL)
_FLAG = re.compile(r"(?<![\w-])--?[a-z][a-z-]+")


@dataclass(frozen=True)
class Named:
    """What a question names; ``tool`` tells whether that is nlptasks or an option of it."""

    terms: frozenset[str]
    tool: bool

    @property
    def on_topic(self) -> bool:
        """Whether it may be about nlptasks at all."""
        return self.tool or not self.terms.isdisjoint(CONCEPTS)

    @property
    def only_concepts(self) -> bool:
        """Whether it can hardly be about anything else."""
        return len(self.terms) > 1 and self.terms <= CONCEPTS.keys()


def named(question: str) -> Named:
    """Return what a question names, typing mistakes mended."""
    folded = fold(question)
    flags = _FLAG.findall(folded)
    rest = _TOOL.sub(" ", folded)
    return Named(frozenset((*_terms(joined(words_of(rest))), *flags)), bool(_TOOL.search(folded)))


def find(question: Named, language: str) -> Passage | None:
    """Return what the documentation says, in the user's language if it does, else in English; None if nothing."""
    if not question.terms or not question.on_topic:
        return None
    for spoken in dict.fromkeys((language, "en")):
        index = _index(spoken)
        place, share = index.best(question.terms)
        if share >= (SOME if question.tool else MOST):
            return index.passages[place]
    return None


def excerpt(passage: Passage, question: Named) -> str:
    """Return the text of a passage, or where it is long the sentence of it that holds most of the question."""
    sentences = [passage.text[start:end] for start, end in sentence_spans(passage.text)]
    if len(sentences) <= SHORT or "\n" in passage.text:
        return passage.text
    return max(sentences, key=lambda sentence: _weight(question.terms & set(_terms(fold(sentence))), found=True))


class Index:
    """The passages in one language."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        import bm25s

        logging.getLogger("bm25s").setLevel(logging.WARNING)  # it reports every step at DEBUG
        self.passages = passages
        self._terms = [_all_terms(passage) for passage in passages]
        self._held = [frozenset(terms) for terms in self._terms]
        self._bm25: Any = bm25s.BM25(b=LENGTH)
        self._bm25.index(self._terms, show_progress=False)

    def best(self, wanted: frozenset[str]) -> tuple[int, float]:
        """Return the place of the best passage, and which share (0-1) of ``wanted`` it holds."""
        scores = self._bm25.get_scores_from_ids(self._bm25.get_tokens_ids(sorted(wanted)))
        places = [int(place) for place in (-scores).argsort(kind="stable")[:CANDIDATES]]
        shares = {place: _weight(wanted & self._held[place], found=True) / _weight(wanted) for place in places}
        weights = [1.0 if any(map(_FLAG.fullmatch, wanted)) else KINDS[passage.kind] for passage in self.passages]
        place = max(places, key=lambda place: scores[place] * shares[place] * weights[place])
        return place, shares[place]


@cache
def _index(language: str) -> Index:
    return Index([passage for passage in passages() if passage.language == language])


def _all_terms(passage: Passage) -> list[str]:
    text = fold(passage.text)
    return [
        passage.kind,
        *_terms(text),
        *_FLAG.findall(text),
        *(HEADING if passage.first else 1) * _terms(fold(passage.about)),
    ]


def _weight(terms: frozenset[str], found: bool = False) -> float:
    """Return how much terms say. A concept that is ``found`` in a passage says more than a word that is."""
    return sum(
        1 if term in CONCEPTS else 2 if term[0] == "-" else 0.5 if found or not term.isascii() else 1 for term in terms
    )


def _terms(folded: str) -> list[str]:
    """Return the concepts, and the words and pairs of Chinese characters outside their names."""
    found, end, rest = [], 0, []
    for concept, start, stop in concepts_in(folded):
        found.append(concept)
        rest.append(folded[end:start])
        end = stop
    text = " ".join((*rest, folded[end:]))
    spaced = [word.text[:STEM] for word in words_of(text) if word.text.isascii() and word.text not in lex.FUNCTION]
    chinese = (run for run in runs(re.sub(lex.FUNCTION_ZH, " ", text)))
    return [*found, *spaced, *(first + second for run in chinese for first, second in pairwise(run))]
