"""How many tokens a batch may hold: what memory is free, and what keys and values take of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SHARE = 4
"""The part of free memory that keys and values may fill; the rest is for what is computed, and for others."""
FEWEST = 1024
ENOUGH = {"cpu": 65536}
"""Tokens beyond which a kind of device gets nothing done faster."""
LIMIT = Path("/sys/fs/cgroup/memory.max")
"""What a container may use, where there is one."""


def room(model: Any) -> int:
    """Return how many tokens' keys and values ``model`` has room for: a power of two.

    So it is the same from one day to the next, although free memory is not.
    """
    most = ENOUGH.get(model.device.type, 8 * ENOUGH["cpu"])
    tokens = min(most, free_bytes(model.device) // (SHARE * max(1, token_bytes(model))))
    return max(FEWEST, 1 << max(0, tokens.bit_length() - 1))


def token_bytes(model: Any) -> int:
    """Return the bytes that the keys and values of one token take in all layers of a model that writes.

    Those without attention, such as Mamba, keep none.
    """
    config = model.config.get_text_config(decoder=True)
    if not (heads := getattr(config, "num_attention_heads", None)):
        return 0
    size = getattr(config, "head_dim", None) or config.hidden_size // heads
    groups = getattr(config, "num_key_value_heads", None) or heads
    return int(2 * config.num_hidden_layers * groups * size * model.dtype.itemsize)


def free_bytes(device: Any) -> int:
    """Return the bytes that are free on a device."""
    import psutil
    import torch

    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0] + kept)
    free = int(psutil.virtual_memory().available)
    if LIMIT.exists() and (limit := LIMIT.read_text("ascii").strip()).isdecimal():
        free = min(free, max(0, int(limit) - psutil.Process().memory_info().rss))
    return free
