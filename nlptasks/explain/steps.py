"""How one position of one head gets its weights and its sum, number by number.

Attention(Q, K, V) = softmax(Q K^T / sqrt(d_k)) V: Vaswani et al. 2017, "Attention Is All You Need", equation 1,
https://arxiv.org/abs/1706.03762.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlptasks.errors import UnsupportedError, UsageError
from nlptasks.explain.attention import Part
from nlptasks.explain.tokens import Token

if TYPE_CHECKING:
    from nlptasks.explain.attention import Numbers

EQUATION = "Attention(Q, K, V) = softmax(QKᵀ / √dₖ) V"
SOURCE = "Vaswani et al. 2017, equation 1"
SAME = 1e-4
"""How far weights may lie from the equation's before that is said."""


@dataclass(frozen=True)
class Steps:
    """The numbers of one position: ``query`` and ``sum`` are vectors, ``keys`` and ``values`` one for each token.

    ``products`` are query times key, ``scores`` those scaled, with ``bias`` (see Vectors) added; ``weights`` are
    the model's own, and ``exact`` says whether they are the softmax of the scores, as the equation has it.
    ``visible`` says which tokens are not hidden from the query.
    """

    layer: int
    head: int
    token: Token
    tokens: tuple[Token, ...]
    query: Numbers
    keys: Numbers
    values: Numbers
    products: Numbers
    bias: Numbers
    scores: Numbers
    weights: Numbers
    sum: Numbers
    scale: float
    exact: bool

    @property
    def visible(self) -> list[int]:
        """The positions that are not hidden from the query."""
        return [place for place, bias in enumerate(self.bias) if bias > float("-inf")]


def steps(part: Part, layer: int, head: int, position: int) -> Steps:
    """Return the numbers of one position of one head.

    Raises:
        UsageError: there is no such position.
        UnsupportedError: the architecture does not let its vectors be seen.
    """
    import numpy as np

    if not 0 <= position < len(part.queries):
        raise UsageError(f"There is no position {position}: the tokens have 0 to {len(part.queries) - 1}.")
    vectors, weights = part.layers[layer].vectors, part.layers[layer].weights[head, position]
    if vectors is None:
        raise UnsupportedError("This architecture shows its weights, but not its queries and keys: drop --position.")
    query, keys, bias = vectors.queries[head, position], vectors.keys[head], vectors.bias[head, position]
    products = keys @ query
    scores = products * np.float32(vectors.scale) + bias
    softmax = np.exp(scores - scores.max())
    return Steps(
        layer=layer,
        head=head,
        token=part.queries[position],
        tokens=part.keys,
        query=query,
        keys=keys,
        values=vectors.values[head],
        products=products,
        bias=bias,
        scores=scores,
        weights=weights,
        sum=vectors.sums[head, position],
        scale=vectors.scale,
        exact=bool(np.allclose(softmax / softmax.sum(), weights, atol=SAME)),
    )
