"""Matrices laid out once in the blocks that a CPU multiplies by, not anew for every product.

With few rows, as when each row of a batch adds a token, that is most of the time. oneDNN calls it weights prepacking
("Understanding Memory Formats", oneDNN developer guide); torch's compiler does the same with a model that it freezes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from nlptasks.backends.hf.layers import matrix, replace


class PrepackedLinear(nn.Module):
    """What a linear layer computes.

    Whoever wants the matrix itself, as Mamba does for its own products, a gradient, a copy or a file, has it laid out
    plainly again, for good.
    """

    bias: Tensor | None

    def __init__(self, layer: nn.Linear | Conv1D) -> None:
        super().__init__()
        weight = matrix(layer).detach()
        self.out_features, self.in_features = weight.shape
        self.register_buffer("bias", None if layer.bias is None else layer.bias.detach())
        self._turned = isinstance(layer, Conv1D)
        self._blocks: Tensor | None = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous())
        self._plain: Tensor | None = None

    @property
    def weight(self) -> Tensor:
        """The matrix, as the layer had it."""
        return self._matrix().t() if self._turned else self._matrix()

    def _matrix(self) -> Tensor:
        if self._plain is None:
            assert self._blocks is not None
            with torch.inference_mode(False):
                self._plain, self._blocks = self._blocks.to_dense(), None
        return self._plain

    def forward(self, inputs: Tensor) -> Tensor:
        """Return (..., outputs) for inputs (..., inputs), in their number format."""
        if self._blocks is None or torch.is_grad_enabled():
            return nn.functional.linear(inputs, self._matrix(), self.bias)
        found: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, self._blocks, self.bias, "none", [], "")
        return found

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        destination[prefix + "weight"] = self.weight.contiguous()

    def __getstate__(self) -> dict[str, Any]:
        _ = self.weight  # blocks cannot be copied
        return self.__dict__


def prepack(model: Any) -> None:
    """Lay out the linear layers of a model that computes on an x86 CPU; any other stays as it is."""
    here = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if here and torch.backends.cpu.get_cpu_capability().startswith("AVX"):
        replace(model, _prepacked)


def _prepacked(layer: nn.Linear | Conv1D) -> PrepackedLinear | None:
    plain = type(layer.weight) is nn.Parameter and layer.weight.device.type == "cpu"  # not quantised
    return PrepackedLinear(layer) if plain and layer.weight.dtype in _formats() else None


def _formats() -> set[torch.dtype]:
    """Return the number formats that oneDNN computes in here."""
    return {torch.float32} | ({torch.bfloat16} if torch.ops.mkldnn._is_mkldnn_bf16_supported() else set())
