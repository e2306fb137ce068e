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
    """Replace each linear layer by what ``substitute`` makes of it, if anything; one in several places by one."""
    made: dict[nn.Module, nn.Module | None] = {}
    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if type(layer) not in (nn.Linear, Conv1D) or len(matrix(layer)) < FEWEST:
                continue
            if layer not in made:
                made[layer] = substitute(layer)
            if (new := made[layer]) is not None:
                setattr(parent, name, new)
