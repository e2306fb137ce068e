"""Explanations made by hand, so that a test knows what must be drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nlptasks.explain.attention import Layer, Part, Vectors
from nlptasks.explain.explanation import Explanation
from nlptasks.explain.tokens import Token

WORDS = ("今天", "天气", "很", "好")


def causal(words: Sequence[str] = WORDS, layers: int = 1, heads: int = 1, size: int = 4) -> Explanation:
    """An explanation whose numbers follow equation 1, each head of it with other ones."""
    tokens = tuple(Token(place, 100 + place, word, word.startswith("<")) for place, word in enumerate(words))
    rng = np.random.default_rng(0)
    shape = (heads, len(words), size)
    found = []
    for _ in range(layers):
        queries, keys, values = (rng.normal(size=shape).astype(np.float32) for _ in range(3))
        bias = np.where(np.triu(np.ones((len(words),) * 2), 1), -np.inf, 0)[None].repeat(heads, 0)
        scores = queries @ keys.transpose(0, 2, 1) / size**0.5 + bias
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        found.append(Layer(weights, Vectors(queries, keys, values, weights @ values, bias, size**-0.5)))
    part = Part("self", "each token (row) to what it reads (columns)", tokens, tokens, tuple(found))
    return Explanation("folder", "TinyLM", "causal", "".join(words), (part,))


def weighted(rows: Sequence[Sequence[float]], words: Sequence[str] = WORDS) -> Explanation:
    """An explanation of one head with just these weights."""
    tokens = tuple(Token(place, 100 + place, word) for place, word in enumerate(words))
    part = Part("self", "rows read columns", tokens, tokens, (Layer(np.array([rows], np.float32), None),))
    return Explanation("folder", "TinyLM", "causal", "".join(words), (part,))
