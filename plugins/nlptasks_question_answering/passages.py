"""Passages: stretches of documents that a model reads and an answer is cited from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

from nlptasks import Document
from nlptasks.text import Span, sentence_spans, split_to_fit

SEPARATOR = "\n\n"


@dataclass(frozen=True)
class Passage:
    """Characters ``start`` to ``end`` of a document, which is named ``name`` and numbered from 0."""

    text: str
    name: str
    document: int
    start: int
    end: int

    def part(self, start: int, end: int) -> Passage:
        """Return the piece between two offsets into this passage."""
        return Passage(self.text[start:end], self.name, self.document, self.start + start, self.start + end)

    @cached_property
    def _sentences(self) -> list[Span]:
        return sentence_spans(self.text)

    def sentences(self, start: int, end: int) -> Passage:
        """Return the whole sentences that the characters ``start`` to ``end`` of this passage touch."""
        touched = [span for span in self._sentences if span[0] < end and start < span[1]]
        return self.part(touched[0][0], touched[-1][1]) if touched else self.part(start, end)


@dataclass(frozen=True)
class Context:
    """What a model reads: passages, in the order of the documents."""

    passages: tuple[Passage, ...]

    @cached_property
    def text(self) -> str:
        """All passages as one text, for a model that reads no more than that."""
        return SEPARATOR.join(passage.text for passage in self.passages)

    def part(self, start: int, end: int) -> Passage | None:
        """Return where the characters ``start`` to ``end`` of ``text`` come from.

        A span that leaves its passage ends with it; None if it begins in none.
        """
        starts = list(accumulate((len(p.text) + len(SEPARATOR) for p in self.passages), initial=0))
        number = bisect_right(starts, start) - 1
        if not 0 <= number < len(self.passages):
            return None
        passage = self.passages[number]
        end = min(end - starts[number], len(passage.text))
        start -= starts[number]
        return passage.part(start, end) if start < end else None


def whole(documents: Sequence[Document]) -> Context:
    """Return all documents, each as one passage; one without a name is called by its number, from 1."""
    every = (
        Passage(document.text, document.name or f"document {number + 1}", number, 0, len(document.text))
        for number, document in enumerate(documents)
    )
    return Context(tuple(passage for passage in every if passage.text.strip()))


def split(documents: Sequence[Document], size: int) -> Iterator[Passage]:
    """Yield passages of about ``size`` bytes of UTF-8, a length that means as much in every script.

    Each shares its second half with the next, so that what belongs together stands together in one.
    """
    for document in whole(documents).passages:
        halves, end = [], 0
        for chunk in split_to_fit(document.text, size // 2, byte_length):
            start = document.text.index(chunk, end)
            end = start + len(chunk)
            halves.append((start, end))
        if len(halves) == 1:
            yield document.part(*halves[0])
        for (start, _), (_, end) in pairwise(halves):
            yield document.part(start, end)


def joined(documents: Sequence[Document], passages: Iterable[Passage]) -> Context:
    """Return the passages in the order of the documents, neighbours as one."""
    merged: list[Passage] = []
    for passage in sorted(passages, key=lambda p: (p.document, p.start)):
        last = merged[-1] if merged else None
        text = documents[passage.document].text
        if last and last.document == passage.document and not text[last.end : passage.start].strip():
            end = max(last.end, passage.end)
            merged[-1] = Passage(text[last.start : end], last.name, last.document, last.start, end)
        else:
            merged.append(passage)
    return Context(tuple(merged))


def byte_length(text: str) -> int:
    """Return how many bytes ``text`` takes as UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))
