"""What a model computes as attention, caught where it computes it.

transformers lets attention be computed by a function of one's own. Ours calls the model's own one and keeps what
went in and came out: queries and keys with their positions in them, whatever the architecture.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlptasks.errors import UnsupportedError
from nlptasks.explain.tokens import Token

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[Any]

NAME = "nlptasks_explain"
"""Under which our function is known to transformers."""

HIDDEN = -1e30
"""A number this low, added to a score, hides a key: a token that comes later, or padding."""


@dataclass(frozen=True)
class Vectors:
    """What the heads of a layer compare and add up; arrays of heads by tokens by dimensions.

    ``scale`` is what a product of query and key is multiplied by, one over the root of the dimensions. ``bias`` is
    added after that: minus infinity for a key that is hidden from a query, elsewhere 0 or what the architecture
    says of their distance. ``sums`` are the values, weighted and added up.
    """

    queries: Numbers
    keys: Numbers
    values: Numbers
    sums: Numbers
    bias: Numbers
    scale: float


@dataclass(frozen=True)
class Layer:
    """The attention of one layer: ``weights`` are heads by queries by keys, each row adds up to 1.

    ``vectors`` is None for an architecture that does not let them be seen.
    """

    weights: Numbers
    vectors: Vectors | None


@dataclass(frozen=True)
class Part:
    """All attention of one kind: from ``queries``, the rows, to ``keys``, the columns. ``says`` tells what it is."""

    name: str
    says: str
    queries: tuple[Token, ...]
    keys: tuple[Token, ...]
    layers: tuple[Layer, ...]

    @property
    def heads(self) -> int:
        """How many heads a layer has."""
        return int(self.layers[0].weights.shape[0])


@dataclass(frozen=True)
class Call:
    """One time that attention was computed, as tensors of transformers."""

    query: Any
    key: Any
    value: Any
    bias: Any
    scale: float
    weights: Any
    sums: Any


@contextmanager
def watched(model: Any) -> Iterator[list[Call]]:
    """Yield a list that gets every computation of attention in ``model``, which must have been loaded as eager."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import eager_mask

    calls: list[Call] = []

    def attend(module: Any, query: Any, key: Any, value: Any, attention_mask: Any, **given: Any) -> Any:
        own = getattr(sys.modules[type(module).__module__], "eager_attention_forward", None)
        if own is None:
            raise UnsupportedError(f"{type(module).__name__} computes attention in a way that cannot be watched.")
        sums, weights = own(module, query, key, value, attention_mask, **given)
        scale = given.get("scaling") or query.shape[-1] ** -0.5
        bias = _bias(attention_mask, given.get("position_bias"))
        calls.append(Call(query, key, value, bias, float(scale), weights, sums))
        return sums, weights

    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, eager_mask)
    model.set_attn_implementation(NAME)
    try:
        yield calls
    finally:
        model.set_attn_implementation("eager")


def _bias(mask: Any, positions: Any) -> Any:
    given = [one for one in (mask, positions) if one is not None]
    return sum(given[1:], given[0]) if given else None


def layers(attentions: Sequence[Any], calls: Sequence[Call], shape: tuple[int, int], model: str) -> tuple[Layer, ...]:
    """Return a layer for each tensor of weights that a model gave out, with the vectors behind it.

    ``shape`` is queries by keys. Raises UnsupportedError for a model that gave none, or of another shape.
    """
    found = [weights for weights in attentions or () if weights is not None]
    if not found:
        raise UnsupportedError(f"{model!r} works without attention, or shows none: choose another model.")
    if any(weights.shape[-2:] != shape for weights in found):
        raise UnsupportedError(f"{model!r} attends to a part of the text only, in a form of its own: choose another.")
    return tuple(_layer(weights, next((call for call in calls if call.weights is weights), None)) for weights in found)


def _layer(weights: Any, call: Call | None) -> Layer:
    numbers = _numbers(weights[0])
    if call is None:
        return Layer(numbers, None)
    heads = weights.shape[1]
    keys, values = (one.repeat_interleave(heads // one.shape[1], dim=1) for one in (call.key, call.value))
    return Layer(
        numbers,
        Vectors(
            queries=_numbers(call.query[0]),
            keys=_numbers(keys[0]),
            values=_numbers(values[0]),
            sums=_numbers(call.sums[0].transpose(0, 1)),
            bias=_whole(call.bias, weights),
            scale=call.scale,
        ),
    )


def _whole(bias: Any, weights: Any) -> Numbers:
    """Return what is added to the scores for every head, query and key."""
    import numpy as np

    if bias is None:
        return np.zeros(weights.shape[1:], np.float32)
    numbers = _numbers(bias.expand_as(weights)[0])
    return np.where(numbers < HIDDEN, -np.inf, numbers)


def _numbers(tensor: Any) -> Numbers:
    found: Numbers = tensor.float().cpu().numpy()
    return found
