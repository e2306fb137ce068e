"""A text as sentences to choose from, and what can be told of each in any language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from nlptasks.selection.terms import Matrix, terms
from nlptasks.text import detect_language, is_unspaced, sentences, words

if TYPE_CHECKING:
    from nlptasks.selection.terms import Vector

FEATURES = (
    "centrality",  # how much it has in common with the whole text, 1 on average (Radev et al., 2004)
    "query",  # ... and with the query
    "lead",  # 1 for the first sentence, 1/2 for the second, 1/3 for the third ...
    "first of few",  # for the first sentence one through the number of sentences, else 0
    "centrality in a long text",  # centrality, times how much longer than usual the text is
)
USUAL = 2.5
"""The logarithm of the number of sentences in a text of usual length: 12."""

_FENCED = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\s]*\)")
_MARKUP = re.compile(r"^(?:[-*+•>]\s+|\d{1,3}[.)]\s+)+|\*{2,}|`")
_STRUCTURE = re.compile(r"#{1,6}\s|[|=<]|[-=*_]{3,}$")
_PROSE = re.compile(r"""[.!?…。！？｡؟۔।॥።։។။]["'”’“»)\]」』）】]*$""")


@dataclass(frozen=True)
class Document:
    """What a summary may be made of: sentences of prose, or whatever there is; none for an empty text."""

    language: str
    sentences: Sequence[str]
    query: str = ""

    @classmethod
    def read(cls, text: str, query: str = "") -> Document:
        """Find the sentences of ``text``, which a summary may be wanted of in view of a query."""
        language = detect_language(text)
        return cls(language, _candidates(text, language), query)

    @property
    def unspaced(self) -> bool:
        """Whether length is told in characters."""
        return is_unspaced(self.language)

    @cached_property
    def sizes(self) -> Sequence[int]:
        """The length of each sentence in words, or in characters."""
        return [len(words(sentence) if self.unspaced else sentence.split()) for sentence in self.sentences]

    @cached_property
    def matrix(self) -> Matrix:
        """The sentences' terms."""
        return Matrix.of([terms(sentence) for sentence in self.sentences])

    @cached_property
    def features(self) -> Vector:
        """What ``FEATURES`` names, for each sentence (rows)."""
        import numpy as np

        number = len(self.sentences)
        place = np.arange(number)
        long = np.log(max(number, 1)) - USUAL
        centrality = self.matrix.centrality()
        query = self.matrix.likeness(terms(self.query))
        columns = (
            centrality,
            query,
            1 / (1 + place),
            (place == 0) / max(number, 1),
            centrality * long,
        )
        return np.stack(columns, axis=1).astype(np.float32)


def _candidates(text: str, language: str) -> list[str]:
    plain = _LINK.sub(r"\1", _FENCED.sub("", text)).strip() or text
    found = [_MARKUP.sub("", sentence).strip() for sentence in sentences(plain, language)]
    wrap = "" if is_unspaced(language) else " "
    found = [" ".join(wrap.join(map(str.strip, s.splitlines())).split()) for s in found if s]
    unstructured = [sentence for sentence in found if not _STRUCTURE.match(sentence)]
    prose = [sentence for sentence in unstructured if _PROSE.search(sentence) and len(terms(sentence)) > 3]
    return prose or unstructured or found
