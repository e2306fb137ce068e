"""The best sentences of a document that fit together into the shape asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlptasks.selection.document import Document
    from nlptasks.selection.terms import Vector

SENTENCES = 5
SENTENCE = 35  # words, or characters: of longer sentences fewer are taken
REPEATED = 0.3  # of a sentence's weight, in terms that are taken already
GOOD = 1.0  # below the best score: rather the best sentence cut short than a worse one that fits
BYTES_PER_TOKEN = 4  # as Limits.count has it


@dataclass(frozen=True)
class Shape:
    """How a summary should look: at most so many sentences, words (or characters) and bytes; None is no limit."""

    sentences: int | None = SENTENCES
    words: int | None = None
    bytes: int | None = None
    style: str = "paragraph"

    @classmethod
    def of(cls, fields: Mapping[str, str], max_new_tokens: int | None = None) -> Shape:
        """Read the shape from a request's fields."""
        most, length = fields.get("max_sentences"), fields.get("max_words")
        sentences = int(most) if most else None if length else SENTENCES
        most_bytes = max_new_tokens and max_new_tokens * BYTES_PER_TOKEN
        return cls(sentences, int(length) if length else None, most_bytes, fields.get("style", "paragraph"))

    def number(self, available: int) -> float:
        """Return how many of the ``available`` sentences a summary has at most.

        The default is one of up to nine, and one more for every three, until there are five; a shape for more
        or fewer scales with that. Bullets are half of all.
        """
        if self.sentences is None:
            return math.inf
        share = (available + 1) / 2 if self.style == "bullets" else (available - 5) / 3 * self.sentences / SENTENCES
        return max(1, min(self.sentences, round(share)))


def summarize(document: Document, shape: Shape, score: Callable[[Document], Vector]) -> str:
    """Return the sentences with the best scores (log-odds) in their order; empty for an empty document.

    Where no good sentence is short enough, the best is cut.
    """
    if not document.sentences:
        return ""
    scores = score(document)
    ruler = Ruler(document, shape)
    places = sorted(_choose(document, scores, ruler))
    texts = [document.sentences[place] for place in places]
    return ruler.join(texts or [ruler.cut(int(scores.argmax()))])


def _choose(document: Document, scores: Vector, ruler: Ruler) -> Iterator[int]:
    """Yield the places of the best sentences that fit together and do not repeat each other."""
    import numpy as np

    matrix = document.matrix
    taken = np.zeros(len(matrix.vocabulary), dtype=bool)
    least = scores.max() - GOOD
    for place in map(int, np.argsort(-scores, kind="stable")):
        if ruler.full or scores[place] < least:
            break
        columns, values = matrix.row(place)
        if (values[taken[columns]] ** 2).sum() <= REPEATED and ruler.take(place):
            taken[columns] = True
            least = -math.inf
            yield place


class Ruler:
    """Keeps a summary to its shape while sentences are taken into it."""

    def __init__(self, document: Document, shape: Shape) -> None:
        self.document, self.style = document, shape.style
        limits = (shape.number(len(document.sentences)), shape.words, shape.bytes)
        self.left = [math.inf if limit is None else limit for limit in limits]
        self.enough = math.inf if shape.sentences is None else SENTENCE * shape.sentences

    @property
    def full(self) -> bool:
        return min(*self.left, self.enough) < 1

    def take(self, place: int) -> bool:
        """Return whether a sentence fits, and if so, count it in."""
        size = self.document.sizes[place]
        sizes = (1, size, _bytes(self.document.sentences[place]))
        left = [left - size for left, size in zip(self.left, sizes, strict=True)]
        if min(left) < 0:
            return False
        self.left = left
        self.enough -= size
        return True

    def join(self, sentences: Sequence[str]) -> str:
        """Return the sentences as one text in the style asked for."""
        if self.style == "bullets":
            return "\n".join(f"- {sentence}" for sentence in sentences)
        if self.style == "headline":
            return " ".join(sentences).rstrip(".。।۔")
        return "".join(s if s[-1] in "。！？」”" else f"{s} " for s in sentences).rstrip()

    def cut(self, place: int) -> str:
        """Return the beginning of a sentence that is too long, with an ellipsis."""
        _, most_words, most_bytes = self.left
        sentence, unspaced = self.document.sentences[place], self.document.unspaced
        if most_words < self.document.sizes[place]:
            sentence = sentence[: int(most_words)] if unspaced else " ".join(sentence.split()[: int(most_words)])
        while _bytes(sentence) + 3 > most_bytes and sentence:
            sentence = sentence[:-1] if unspaced else sentence.rpartition(" ")[0]
        return sentence.rstrip(" ,;:–—-、，；：") + "…"


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
