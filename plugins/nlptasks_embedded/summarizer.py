"""Extractive summaries: the sentences nearest to what the whole text is about.

Centroid summarization (Radev et al., Centroid-based summarization of multiple documents, 2004): a
sentence counts by its likeness to the sum of all, a little more where the text begins, and is passed
over if it mostly repeats what was taken. Everything is linear in the length of the text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlptasks.text import detect_language, is_unspaced, sentences, words
from nlptasks_embedded.terms import Matrix, terms

if TYPE_CHECKING:
    from nlptasks_embedded.terms import Vector

SENTENCES = 3
LEAD = 0.3  # how much more the first sentence counts; the second has half of that, the third a third ...
REPEATED = 0.6  # of a sentence's weight, in terms that are taken already
QUERY = 3.0  # how much likeness to the query counts, beside likeness to the text
GOOD = 0.75  # of the best score: rather the best sentence cut short than a worse one that fits

_FENCED = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\s]*\)")
_MARKUP = re.compile(r"^(?:[-*+•>]\s+|\d{1,3}[.)]\s+)+|\*{2,}|`")
_STRUCTURE = re.compile(r"#{1,6}\s|[|=<]|[-=*_]{3,}$")
_PROSE = re.compile(r"""[.!?…。！？｡؟۔।॥።։។။]["'”’“»)\]」』）】]*$""")


@dataclass(frozen=True)
class Shape:
    """How a summary should look: at most so many sentences, words (or characters) and bytes; None is no limit."""

    sentences: int | None = SENTENCES
    words: int | None = None
    bytes: int | None = None
    style: str = "paragraph"
    query: str = ""

    @classmethod
    def of(cls, fields: Mapping[str, str], most_bytes: int | None) -> Shape:
        """Read the shape from a request's fields."""
        most, length = fields.get("max_sentences"), fields.get("max_words")
        sentences = int(most) if most else None if length else SENTENCES
        style, query = fields.get("style", "paragraph"), fields.get("query", "")
        return cls(sentences, int(length) if length else None, most_bytes, style, query)


def summarize(text: str, shape: Shape) -> str:
    """Return a summary in sentences of the text itself, in their order there.

    Where no good sentence is short enough, the best is cut.
    """
    language = detect_language(text)
    ruler = Ruler(shape, unspaced=is_unspaced(language))
    candidates = _candidates(text, language)
    if not candidates:
        return ""
    matrix = Matrix.of([terms(sentence) for sentence in candidates])
    scores = _scores(matrix, shape.query)
    places = sorted(_choose(matrix, scores, candidates, ruler))
    return ruler.join([candidates[place] for place in places] or [ruler.cut(candidates[scores.argmax()])])


def _candidates(text: str, language: str) -> list[str]:
    """Return what a summary may be made of: sentences of prose, or whatever there is."""
    plain = _LINK.sub(r"\1", _FENCED.sub("", text)).strip() or text
    found = [_MARKUP.sub("", sentence).strip() for sentence in sentences(plain, language)]
    wrap = "" if is_unspaced(language) else " "
    found = [" ".join(wrap.join(map(str.strip, s.splitlines())).split()) for s in found if s]
    unstructured = [sentence for sentence in found if not _STRUCTURE.match(sentence)]
    prose = [sentence for sentence in unstructured if _PROSE.search(sentence) and len(terms(sentence)) > 3]
    return prose or unstructured or found


def _scores(matrix: Matrix, query: str) -> Vector:
    import numpy as np

    scores = matrix.centrality()
    scores *= 1 + LEAD / (1 + np.arange(len(scores)))
    return scores + QUERY * matrix.likeness(terms(query)) if query else scores


def _choose(matrix: Matrix, scores: Vector, candidates: Sequence[str], ruler: Ruler) -> Iterator[int]:
    """Yield the places of the best sentences that fit together and do not repeat each other."""
    import numpy as np

    taken = np.zeros(len(matrix.vocabulary), dtype=bool)
    least = GOOD * scores.max()
    for place in map(int, np.argsort(-scores, kind="stable")):
        if ruler.full or scores[place] < least:
            break
        columns, values = matrix.row(place)
        if (values[taken[columns]] ** 2).sum() <= REPEATED and ruler.take(candidates[place]):
            taken[columns] = True
            least = 0.0
            yield place


class Ruler:
    """Keeps a summary to its shape while sentences are taken into it."""

    def __init__(self, shape: Shape, unspaced: bool) -> None:
        self.style, self.unspaced = shape.style, unspaced
        self.left = [math.inf if limit is None else limit for limit in (shape.sentences, shape.words, shape.bytes)]

    @property
    def full(self) -> bool:
        return min(self.left) < 1

    def take(self, sentence: str) -> bool:
        """Return whether the sentence fits, and if so, count it in."""
        left = [left - size for left, size in zip(self.left, (1, self._words(sentence), _bytes(sentence)), strict=True)]
        if min(left) < 0:
            return False
        self.left = left
        return True

    def join(self, sentences: Sequence[str]) -> str:
        """Return the sentences as one text in the style asked for."""
        if self.style == "bullets":
            return "\n".join(f"- {sentence}" for sentence in sentences)
        if self.style == "headline":
            return " ".join(sentences).rstrip(".。।۔")
        return "".join(s if s[-1] in "。！？」”" else f"{s} " for s in sentences).rstrip()

    def cut(self, sentence: str) -> str:
        """Return the beginning of a sentence that is too long, with an ellipsis."""
        _, most_words, most_bytes = self.left
        if most_words < self._words(sentence):
            sentence = sentence[: int(most_words)] if self.unspaced else " ".join(sentence.split()[: int(most_words)])
        while _bytes(sentence) + 3 > most_bytes and sentence:
            sentence = sentence[:-1] if self.unspaced else sentence.rpartition(" ")[0]
        return sentence.rstrip(" ,;:–—-、，；：") + "…"

    def _words(self, sentence: str) -> int:
        return len(words(sentence)) if self.unspaced else len(sentence.split())


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
