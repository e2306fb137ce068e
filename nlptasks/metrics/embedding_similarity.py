"""Similarity in meaning: the cosine of two texts' vectors from an encoder that the user names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nlptasks.errors import ConfigError
from nlptasks.metrics._shared import paired
from nlptasks.metrics.base import Metric

if TYPE_CHECKING:
    from nlptasks.metrics.base import Statistics


class EmbeddingSimilarity(Metric):
    """The cosine between a prediction and the most similar of its references, times 100.

    ``encoder`` is a folder, or ``hf/`` and a folder or the hub id of a model that was downloaded before. Tokens'
    vectors are averaged, unless the encoder comes in the layout of sentence-transformers and says otherwise.
    An empty text is like nothing, and a cosine below 0 counts as 0. ``batch_tokens`` bounds what is computed at once.
    """

    name = "embedding_similarity"
    citation = "Reimers and Gurevych 2019: Sentence-BERT, https://aclanthology.org/D19-1410"

    def __init__(
        self, *, lang: str | None = None, encoder: str | None = None, device: str = "auto", batch_tokens: int = 16384
    ) -> None:
        super().__init__(lang=lang)
        if not encoder:
            raise ConfigError("embedding_similarity needs an encoder: name a folder or model, --encoder hf/NAME.")
        if batch_tokens < 1:
            raise ConfigError(f"embedding_similarity: batch_tokens must be at least 1, not {batch_tokens}.")
        self.encoder = encoder
        self.device = device
        self.batch_tokens = batch_tokens

    def statistics(
        self, predictions: Sequence[str], references: Sequence[Sequence[str]], **columns: Sequence[Any]
    ) -> Statistics:
        """Return the best cosine of every prediction, times 100.

        Raises:
            ValueError: there are not as many references as predictions, none at all, or none for a row.
            ModelError: the encoder cannot be loaded.
        """
        rows = paired(self.name, predictions, references)
        if not rows:
            raise ValueError(f"{self.name}: there is nothing to score")
        vectors = self._vectors([*predictions, *(text for each in references for text in each)])
        best = [max(float(vectors[text] @ vectors[reference]) for reference in each) for text, each in rows]
        return np.clip(np.array(best, dtype=np.float64), 0, 1)[:, None] * 100

    def aggregate(self, statistics: Statistics) -> dict[str, float]:
        return {self.name: float(statistics[:, 0].mean())}

    @property
    def signature_parts(self) -> Mapping[str, str]:
        from nlptasks.metrics.encoder import load

        encoder = load(self.encoder, self.device)
        return {"encoder": encoder.identity, "pooling": encoder.layout.pooling}

    def _vectors(self, texts: Sequence[str]) -> Mapping[str, np.ndarray[Any, np.dtype[np.float64]]]:
        from nlptasks.metrics.encoder import load

        different = list(dict.fromkeys(texts))
        return dict(zip(different, load(self.encoder, self.device).encode(different, self.batch_tokens), strict=True))
