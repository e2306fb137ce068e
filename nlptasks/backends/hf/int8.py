"""Matrices in eight-bit integers, multiplied as such: a quarter of the memory, and of the time on a CPU.

Symmetric round-to-nearest, weights for each output and activations for each token as they come (dynamic quantisation,
sections 3.1 and 4.2 of "A White Paper on Neural Network Quantization", Nagel et al., 2021).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from nlptasks.backends.hf.layers import matrix, replace

LARGEST = 127


class Int8Linear(nn.Module):
    """What a linear layer computes, with ``weight`` as integers (outputs, inputs) and a scale for each output."""

    weight: Tensor
    scale: Tensor
    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        integers, scale = quantised(weight)
        self.register_buffer("weight", integers)
        self.register_buffer("scale", scale[:, 0])
        self.register_buffer("bias", None if bias is None else bias.detach())

    @property
    def out_features(self) -> int:
        return self.weight.shape[0]

    @property
    def in_features(self) -> int:
        return self.weight.shape[1]

    def forward(self, inputs: Tensor) -> Tensor:
        """Return (..., outputs) for inputs (..., inputs), in their number format."""
        integers, scale = quantised(inputs.reshape(-1, inputs.shape[-1]))
        found = torch._int_mm(integers, self.weight.t()).float().mul_(scale).mul_(self.scale)
        if self.bias is not None:
            found += self.bias
        return found.view(*inputs.shape[:-1], self.out_features).to(inputs.dtype)


def quantised(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return integers of -127 to 127 for each row of a matrix, and a column of what one step of them is worth."""
    rows = rows.detach().float()
    scale = rows.abs().amax(-1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny) / LARGEST
    return (rows / scale).round_().to(torch.int8), scale


def quantise(model: Any) -> None:
    """Replace the linear layers of a model."""
    replace(model, lambda layer: Int8Linear(matrix(layer), layer.bias))
