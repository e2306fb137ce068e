"""What sentences are compared by: their terms, weighted by how few sentences have them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any

from nlptasks.text import words

if TYPE_CHECKING:
    import numpy as np

    Vector = np.ndarray[Any, np.dtype[Any]]

STEM = 6
"""Letters of a word that count: what comes later is mostly inflection."""


def terms(text: str) -> list[str]:
    """Return the terms of a text: words cut to their stem, and pairs of neighbouring Chinese characters.

    Single characters of scripts without spaces are too common to tell sentences apart.
    """
    found = words(text)
    spaced = [word[:STEM] for word in found if len(word) > 1 or word.isdigit()]
    return spaced + [a + b for a, b in pairwise(found) if len(a) == len(b) == 1 and not (a + b).isascii()]


@dataclass(frozen=True)
class Matrix:
    """Sentences (rows) by terms (columns), sparse; each row has length 1, if it has any term.

    Row ``i`` has ``values[starts[i]:starts[i + 1]]`` in the ``columns`` of the same places.
    """

    vocabulary: dict[str, int]
    starts: Vector
    columns: Vector
    values: Vector

    @classmethod
    def of(cls, sentences: Sequence[Sequence[str]]) -> Matrix:
        """Weigh the terms of sentences by (1 + log tf) * idf, with the idf of BM25."""
        import numpy as np

        counts = [Counter(sentence) for sentence in sentences]
        vocabulary = {term: column for column, term in enumerate(dict.fromkeys(chain.from_iterable(sentences)))}
        sizes = np.array([len(count) for count in counts], dtype=np.int64)
        starts = np.concatenate(([0], np.cumsum(sizes)))
        columns = np.fromiter((vocabulary[term] for count in counts for term in count), np.int64, starts[-1])
        times = np.fromiter((n for count in counts for n in count.values()), np.float64, starts[-1])
        having = np.bincount(columns, minlength=len(vocabulary))
        idf = np.log1p((len(sentences) - having + 0.5) / (having + 0.5))
        values = (1 + np.log(times)) * idf[columns]
        rows = np.repeat(np.arange(len(sentences)), sizes)
        lengths = np.sqrt(np.bincount(rows, values**2, len(sentences)))
        return cls(vocabulary, starts, columns, values / lengths[rows])

    def centrality(self) -> Vector:
        """Return for every sentence how much it has in common with all of them, 1 on average."""
        import numpy as np

        return self._mean_one(self.times(np.bincount(self.columns, self.values, len(self.vocabulary))))

    def likeness(self, wanted: Sequence[str]) -> Vector:
        """Return for every sentence how much it has in common with some terms, 1 on average, or 0 for all."""
        import numpy as np

        vector = np.zeros(len(self.vocabulary))
        vector[[self.vocabulary[term] for term in set(wanted) if term in self.vocabulary]] = 1
        return self._mean_one(self.times(vector))

    def times(self, vector: Vector) -> Vector:
        """Return the product with a vector that has a number for every term."""
        import numpy as np

        rows = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        return np.bincount(rows, self.values * vector[self.columns], len(self.starts) - 1)

    def row(self, sentence: int) -> tuple[Vector, Vector]:
        """Return the columns and values of one sentence."""
        place = slice(self.starts[sentence], self.starts[sentence + 1])
        return self.columns[place], self.values[place]

    @staticmethod
    def _mean_one(scores: Vector) -> Vector:
        return scores / (scores.mean() or 1)
