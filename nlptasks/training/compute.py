"""Which number format training computes in; weights and their updates stay float32."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Literal

Precision = Literal["auto", "float32", "bfloat16"]


def computes_bfloat16(precision: Precision, device: Any) -> bool:
    """Return whether to compute in bfloat16 on ``device``: asked for, or faster there."""
    import torch

    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cpu":  # emulated, it is slower than float32
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def autocast(device: Any, bfloat16: bool) -> AbstractContextManager[Any]:
    """Return the context in which matrices are multiplied in bfloat16, if so wished."""
    import torch

    return torch.autocast(device.type, torch.bfloat16, enabled=bfloat16)
