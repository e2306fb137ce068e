"""Attention over a packed batch: the newest token of some rows, and stretches of the prompts of others.

Softmax attention as in Vaswani et al. 2017, equation 1. Where rows share a prefix, its keys are multiplied once for all
of them, and both parts come together under one softmax (as in Hydragen, Juravsky et al. 2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nlptasks.backends.hf.decoding.cache import Prefix, Slots
from nlptasks.backends.hf.decoding.interface import Interface, refuse_foreign


@dataclass(frozen=True)
class Stretch:
    """Tokens ``first`` to ``first + count`` of the batch: a part of the prompt in ``slot``, which holds ``before``."""

    slot: int
    first: int
    count: int
    before: int
    prefix: Prefix | None


@dataclass(frozen=True)
class Layout:
    """What the tokens of a packed batch are.

    The first of them, one for each row of ``hidden``, are the newest tokens in the first slots; ``hidden`` tells for
    every place of a slot whether nothing is there yet. ``sharing`` says which of these rows stand behind a prefix.
    ``slots`` and ``places`` are where each token of the batch is stored.
    """

    cache: Slots
    slots: Any
    places: Any
    hidden: Any
    sharing: Sequence[tuple[Prefix, Any]]
    stretches: Sequence[Stretch]


def attend(
    module: Any, query: Any, key: Any, value: Any, mask: Any, scaling: float | None = None, **more: Any
) -> tuple[Any, None]:
    """Return attention's output for queries (1, heads, tokens, size) as (1, tokens, heads, size).

    Raises:
        NotImplementedError: the model wants another attention.
    """
    refuse_foreign(more, "position_bias")
    layout: Layout = PACKED.seen
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    layer = module.layer_idx
    queries, new_keys, new_values = (tensor[0].transpose(0, 1) for tensor in (query, key, value))
    keys, values = layout.cache.write(layer, layout.slots, layout.places, new_keys, new_values)
    output = queries.new_empty(queries.shape[0], queries.shape[1], values.shape[-1])
    if rows := len(layout.hidden):
        output[:rows] = _newest(layout, layer, queries[:rows] * scale, keys, values)
    for one in layout.stretches:
        part = slice(one.first, one.first + one.count)
        output[part] = _stretch(one, layer, queries[part], keys, values, scale)
    return output[None], None


def _newest(layout: Layout, layer: int, queries: Any, keys: Any, values: Any) -> Any:
    """Return the output for one query of each of the first rows."""
    import torch

    rows, longest = layout.hidden.shape
    heads = keys.shape[1]
    grouped = queries.view(rows, heads, -1, queries.shape[-1])
    scores = grouped @ keys[:rows, :, :longest].transpose(-1, -2)
    scores = scores.float().masked_fill_(layout.hidden[:, None, None], -torch.inf)
    top = scores.amax(-1, keepdim=True)
    beginnings = []
    for prefix, which in layout.sharing:
        asked = grouped[which].transpose(0, 1).flatten(1, 2)  # (heads, rows of all groups, size)
        found = (asked @ prefix.keys[layer].transpose(-1, -2)).float()
        found = found.view(heads, len(which), -1, len(prefix)).transpose(0, 1)
        top[which] = torch.maximum(top[which], found.amax(-1, keepdim=True))
        beginnings.append((prefix, which, found))
    weights = (scores - top).exp_()
    total = weights.sum(-1, keepdim=True)
    mixed = (weights.to(values.dtype) @ values[:rows, :, :longest]).float()
    for prefix, which, found in beginnings:
        weights = (found - top[which]).exp_()
        total[which] += weights.sum(-1, keepdim=True)
        flat = weights.transpose(0, 1).flatten(1, 2).to(values.dtype) @ prefix.values[layer]
        mixed[which] += flat.float().view(heads, len(which), -1, flat.shape[-1]).transpose(0, 1)
    return (mixed / total).to(values.dtype).flatten(1, 2)


def _stretch(one: Stretch, layer: int, queries: Any, keys: Any, values: Any, scale: float) -> Any:
    """Return the output for consecutive tokens of one prompt."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention as attention

    end = one.before + one.count
    own = [buffer[one.slot, :, :end] for buffer in (keys, values)]
    if one.prefix is not None:
        shared = one.prefix.keys[layer], one.prefix.values[layer]
        own = [torch.cat(pair, dim=1) for pair in zip(shared, own, strict=True)]
    groups = queries.shape[1] // own[0].shape[0]
    k, v = (tensor.repeat_interleave(groups, 0) if groups > 1 else tensor for tensor in own)
    q = queries.transpose(0, 1)
    behind = k.shape[1] - one.count
    mask = None
    if behind:
        mask = torch.ones(one.count, k.shape[1], dtype=torch.bool, device=q.device).tril_(behind)
    found = attention(q[None], k[None], v[None], attn_mask=mask, is_causal=not behind, scale=scale)
    return found[0].transpose(0, 1)


PACKED = Interface("nlptasks_packed", attend)
"""Looks at the ``Layout`` of a packed batch."""
