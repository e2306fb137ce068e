"""How training computes: the number format, and the attention, that are quickest on a device."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal

Precision = Literal["auto", "float32", "bfloat16"]
TINY = 1_000_000
"""A model of fewer weights computes on one thread, in float32."""
SHORT = 512
"""Rows of up to so many tokens take little memory for attention."""


def wait_passively() -> None:
    """Have threads that wait give their core away, where torch has not been imported yet.

    Spinning ones made training four times slower on a machine with other work to do.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def computes_bfloat16(precision: Precision, model: Any) -> bool:
    """Return whether to compute in bfloat16: asked for, or faster on the model's device. Weights stay float32."""
    import torch

    device = model.device

    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cpu":  # emulated, or for a very small model, it is slower than float32
        fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
        return bool(fast) and not is_tiny(model)
    return device.type == "cuda" and bool(torch.cuda.is_bf16_supported(including_emulation=False))


def autocast(device: Any, bfloat16: bool) -> AbstractContextManager[Any]:
    """Return the context in which matrices are multiplied in bfloat16, if so wished."""
    import torch

    return torch.autocast(device.type, torch.bfloat16, enabled=bfloat16)


def is_tiny(model: Any) -> bool:
    """Return whether a model is so small that it takes longer to prepare its work than to do it."""
    return bool(sum(weights.numel() for weights in model.parameters()) < TINY)


@contextmanager
def suitable_threads(model: Any) -> Iterator[None]:
    """Compute a very small model on one thread: sharing such work out takes longer than the work."""
    import torch

    before = torch.get_num_threads()
    if model.device.type == "cpu" and is_tiny(model):
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def choose_attention(model: Any, longest: int) -> None:
    """Compute attention plainly for short rows on a CPU: its fused form is a quarter slower there, going back."""
    if model.device.type == "cpu" and longest <= SHORT:
        model.set_attn_implementation("eager")
