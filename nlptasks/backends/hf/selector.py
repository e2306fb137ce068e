"""The model that scores sentences for a summary: an encoder, and a small head on what it makes of them.

Importing this module makes the model known to transformers' Auto classes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel

from nlptasks.selection import FEATURES

MODEL_TYPE = "sentence-selection"


class SelectorConfig(PreTrainedConfig):  # type: ignore[misc]
    """A selector's shape.

    ``encoder`` is the config of any encoder of transformers; without one, sentences are scored by their
    features alone, and that in any language. ``languages`` are those that the encoder knows; empty for all.
    """

    model_type = MODEL_TYPE

    def __init__(
        self,
        encoder: Any = None,
        languages: list[str] | None = None,
        hidden_size: int = 64,
        dropout: float = 0.5,
        **settings: Any,
    ) -> None:
        if isinstance(encoder, dict):
            encoder = AutoConfig.for_model(**encoder)
        self.encoder = encoder
        self.languages = languages or []
        self.hidden_size = hidden_size
        self.dropout = dropout
        super().__init__(**settings)


class Selector(PreTrainedModel):  # type: ignore[misc]
    """Scores the sentences of a document, from their features and, where there are any, their embeddings."""

    config_class = SelectorConfig
    base_model_prefix = "selector"

    def __init__(self, config: SelectorConfig) -> None:
        super().__init__(config)
        self.general = nn.Parameter(torch.zeros(len(FEATURES)))
        self.encoder: Any = None
        self.head: Any = None
        if config.encoder is not None:
            self.encoder = AutoModel.from_config(config.encoder)
            self.head = nn.Sequential(
                nn.Dropout(config.dropout),
                nn.Linear(len(FEATURES) + 2 * config.encoder.hidden_size + 2, config.hidden_size),
                nn.GELU(),
                nn.Dropout(config.dropout),
                nn.Linear(config.hidden_size, 1),
            )
        self.post_init()

    def forward(self, features: Any, embeddings: Any = None, labels: Any = None, **_: Any) -> dict[str, Any]:
        """Return ``scores`` (log-odds; documents by sentences), and with ``labels`` the ``loss``.

        ``labels`` say which share of a summary each sentence is; they are -100 behind a document's end.
        ``embeddings`` have one row more than ``features``: the first is the query's, or zero. They are all zero
        for a document in a language that the encoder does not know.
        """
        general = scores = features @ self.general
        if embeddings is not None and self.head is not None:
            known = embeddings.any(-1).any(-1, keepdim=True)
            scores = general + known * self.head(torch.cat([features, _compare(embeddings)], -1)).squeeze(-1)
        if labels is None:
            return {"scores": scores}
        return {"loss": _loss(scores, labels) + _loss(general, labels), "scores": scores}

    def embed(self, **inputs: Any) -> Any:
        """Return each text's embedding: the mean over its tokens, of length 1 (Reimers and Gurevych, 2019)."""
        hidden = self.encoder(**inputs).last_hidden_state
        mask = inputs["attention_mask"].unsqueeze(-1)
        return nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)


def _loss(scores: Any, labels: Any) -> Any:
    """Return the cross-entropy of which sentences make the summary, the mean over documents."""
    outside = labels < 0
    logs = scores.masked_fill(outside, torch.finfo(scores.dtype).min).log_softmax(-1)
    return -(labels.masked_fill(outside, 0) * logs.masked_fill(outside, 0)).sum(-1).mean()


def _compare(embeddings: Any) -> Any:
    """Return each sentence's embedding, its product with the centroid of all, its likeness to that and to the query.

    Rows are scaled so that an entry is about 1; those behind a document's end are zero, and so change no centroid.
    """
    query, sentences = embeddings[..., :1, :], embeddings[..., 1:, :]
    product = sentences * nn.functional.normalize(sentences.sum(-2, keepdim=True), dim=-1)
    scale = sentences.shape[-1]
    likeness = [product.sum(-1, keepdim=True), (sentences * query).sum(-1, keepdim=True)]
    return torch.cat([sentences * scale**0.5, product * scale, *likeness], -1)


def on_encoder(encoder: Any, languages: list[str] | None = None) -> Selector:
    """Return a selector that knows nothing yet, on top of an encoder that knows ``languages``."""
    encoder.config.name_or_path = ""  # where it came from is nobody's business
    selector = Selector(SelectorConfig(encoder.config, languages))
    selector.encoder = encoder
    return selector


AutoConfig.register(MODEL_TYPE, SelectorConfig)
AutoModel.register(SelectorConfig, Selector)
