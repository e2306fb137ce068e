"""Which passages a model reads: all of them where they are few, else those that BM25 finds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from typing import Any

from nlptasks import Document
from nlptasks.text import words
from nlptasks_question_answering.passages import Context, Passage, byte_length, joined, split, whole

SIZES = (1000, 400, 160)
"""Bytes of a passage: the first (some 160 English words) for all but models that read very little."""

GRAM = 4


def choose(question: str, documents: tuple[Document, ...], most: int, fits: Callable[[Context], bool]) -> Context:
    """Return what to read to answer ``question``: at most ``most`` passages, and no more than ``fits``.

    What is no longer than that is read whole. If not even the smallest passage fits, it is returned
    all the same: the backend knows best how to say so.
    """
    lengths = accumulate(byte_length(document.text) for document in documents)
    if all(length <= most * SIZES[0] for length in lengths) and fits(whole(documents)):
        return whole(documents)
    for size in SIZES:
        ranked = index_of(documents, size).rank(question)[:most]
        for count in range(len(ranked), 0, -1):
            context = joined(documents, ranked[:count])
            if fits(context):
                return context
    return context


class Index:
    """The passages of some documents, and how well each meets a question."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.passages = passages

    @cached_property
    def _bm25(self) -> Any:
        import bm25s

        logging.getLogger("bm25s").setLevel(logging.WARNING)  # it reports every step at DEBUG
        index = bm25s.BM25()
        index.index([terms(f"{passage.name}\n{passage.text}") for passage in self.passages], show_progress=False)
        return index

    def rank(self, question: str) -> list[Passage]:
        """Return all passages, the likeliest first: by BM25 (Robertson and Zaragoza 2009), ties in order."""
        scores = self._bm25.get_scores_from_ids(self._bm25.get_tokens_ids(terms(question)))
        return [self.passages[number] for number in (-scores).argsort(kind="stable")]


@lru_cache(maxsize=4)
def index_of(documents: tuple[Document, ...], size: int) -> Index:
    """Return the index of these documents; the last few are kept, for many questions about one folder."""
    return Index(list(split(documents, size)))


def terms(text: str) -> list[str]:
    """Return what BM25 matches: words, pairs of neighbours, and the four-letter pieces of long words.

    Pairs are what makes Chinese searchable, where ``words`` are single characters; pieces let inflected
    forms and parts of German compounds meet (McNamee and Mayfield 2004).
    """
    found = words(text)
    pairs = [f"{first} {second}" for first, second in pairwise(found)]
    pieces = [f"~{word[i : i + GRAM]}" for word in found if len(word) > GRAM for i in range(len(word) - GRAM + 1)]
    return [*found, *pairs, *pieces]
