"""How long predictions are, and what became of them: compression, truncation, repetition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from nlptasks.fields import Document, Documents
from nlptasks.metrics._shared import LanguageMetric, one_of
from nlptasks.text import words

if TYPE_CHECKING:
    from nlptasks.metrics.base import Statistics

_REPEATED = 4


class Length(LanguageMetric):
    """The length of predictions, and what goes wrong with it.

    - ``length_words`` (or ``length_characters``): the mean per prediction.
    - ``compression_ratio``: length of the documents over that of their predictions, where there is a
      column ``document`` (in any of the forms in which ``summarization`` takes it).
    - ``truncated``: percent of predictions that were cut off, where there is a column ``truncated``.
    - ``repetition``: percent of the 4-grams of a prediction that it has had before, mean per prediction.

    Args:
        lang: language of the texts, for their words.
        unit: ``words`` as ``nlptasks.text`` finds them (characters in Chinese, Japanese or Thai), or
            ``characters``, all of them.

    Raises:
        UnknownNameError: there is no such unit.
    """

    name = "length"
    columns = ("document", "truncated")
    reads_references = False
    lower_is_better = frozenset({"repetition", "truncated"})

    def __init__(self, *, lang: str | None = None, unit: str = "words") -> None:
        super().__init__(lang=lang)
        self.unit = one_of("unit", unit, ("words", "characters"))

    @property
    def signature_parts(self) -> Mapping[str, str]:
        return {"unit": self.unit, "repetition": f"{_REPEATED}-grams"}

    def statistics(
        self, predictions: Sequence[str], references: Sequence[Sequence[str]], **columns: Sequence[Any]
    ) -> Statistics:
        """Return for each sample: length; the document's length and again the prediction's, both 0 without a
        document; 1 if it was truncated, 1 if that is known; repetition (0-100).

        Raises:
            ValueError: a document is no text.
        """  # fmt: skip
        nothing = [None] * len(predictions)
        documents, cuts = (columns.get(name, nothing) for name in self.columns)
        rows = []
        for prediction, document, cut in zip(predictions, documents, cuts, strict=True):
            size, source = self._size(prediction), self._size(_text(document))
            reduced = (source, size) if source else (0, 0)
            rows.append([size, *reduced, bool(cut), cut is not None, _repetition(words(prediction, self.lang))])
        return np.array(rows, dtype=np.float64).reshape(-1, 6)

    def aggregate(self, statistics: Statistics) -> dict[str, float]:
        length, document, reduced, cut, known, repetition = statistics.sum(axis=0).tolist()
        rows = len(statistics)
        scores = {f"length_{self.unit}": length / rows, "repetition": repetition / rows}
        if reduced:
            scores["compression_ratio"] = document / reduced
        if known:
            scores["truncated"] = 100 * cut / known
        return scores

    def _size(self, text: str) -> int:
        return len(words(text, self.lang) if self.unit == "words" else text)


def _text(document: Any) -> str:
    """Return the text of what a row has in the column "document"."""
    if isinstance(document, str):
        return document
    try:
        return "\n".join(each.text for each in _documents().validate_python(document or ()))
    except ValidationError:
        raise ValueError(f"length: no text in the document {document!r:.60}; name another column") from None


@cache
def _documents() -> TypeAdapter[tuple[Document, ...]]:
    return TypeAdapter(Documents)


def _repetition(tokens: list[str]) -> float:
    grams = list(zip(*(tokens[start:] for start in range(_REPEATED)), strict=False))
    return 100 * (1 - len(set(grams)) / len(grams)) if grams else 0.0
