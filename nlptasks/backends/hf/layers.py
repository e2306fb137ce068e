"""The linear layers of a model, and what is put in their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

FEWEST = 16
"""Smaller layers, such as the heads that mark spans, stay as they are: they take no time."""


def matrix(layer: nn.Linear | Conv1D) -> Tensor:
    """Return the matrix (outputs, inputs) of a linear layer. GPT-2's, a Conv1D, has it the other way round."""
    weight: Tensor = layer.weight
    return weight.t() if isinstance(layer, Conv1D) else weight


def replace(model: Any, substitute: Callable[[Any], nn.Module | None]) -> None:
    """Replace each linear layer by what ``substitute`` makes of it, if anything; one in several places by one.

    A layer is let go of before the next is replaced: there is not always room for all of them twice.
    """
    places: dict[Any, list[tuple[nn.Module, str]]] = {}
    for parent in model.modules():
        for name, layer in parent.named_children():
            if type(layer) in (nn.Linear, Conv1D) and len(matrix(layer)) >= FEWEST:
                places.setdefault(layer, []).append((parent, name))
    while places:
        layer, where = places.popitem()
        if (new := substitute(layer)) is not None:
            for parent, name in where:
                setattr(parent, name, new)
