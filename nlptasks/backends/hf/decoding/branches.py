"""Attention of an encoder-decoder's decoder, for beams that branch off one another and share their source.

Nothing is copied when beams change places. Each stores its keys where it stands, and a mask tells which of all that
the beams of a sentence ever stored is its own past: four queries read the keys of four beams in one product.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import DynamicCache, EncoderDecoderCache
from transformers.cache_utils import Cache, DynamicLayer

from nlptasks.backends.hf.decoding.interface import Interface, refuse_foreign

STEP = 32
"""Tokens that buffers grow by."""


class Branching(DynamicLayer):  # type: ignore[misc]
    """Keys and values (sentences, heads, tokens, beams, size) of one layer."""

    def __init__(self, beams: int) -> None:
        super().__init__()
        self.keys: Any = None
        self.values: Any = None
        self.beams, self.length = beams, 0
        self.shape: Any = None
        """What the model is told of the keys: a view that has their shape, but for the beams."""

    def update(self, key_states: Any, value_states: Any, *_: Any, **__: Any) -> tuple[Any, Any]:
        """Store one token of every beam, or of the only one that there is at first."""
        self.keys, self.values = self._stored(self.keys, key_states), self._stored(self.values, value_states)
        self.length += 1
        self.shape = self.keys[:, :, : self.length, 0]
        return self.shape, self.shape

    def _stored(self, buffer: Any, new: Any) -> Any:
        rows, heads, _, size = new.shape
        if buffer is None:
            buffer = new.new_zeros(rows, heads, STEP, self.beams, size)
        elif self.length == buffer.shape[2]:
            more = buffer.new_zeros(*buffer.shape[:2], buffer.shape[2], *buffer.shape[3:])
            buffer = torch.cat((buffer, more), dim=2)
        standing = rows // len(buffer)
        buffer[:, :, self.length, :standing] = new.view(len(buffer), standing, heads, size).transpose(1, 2)
        return buffer

    def get_seq_length(self) -> int:
        return self.length


class Past:
    """What the beams of some sentences have behind them: ``cache`` for the model, and who may see what of it."""

    def __init__(self, layers: int, beams: int, sources: Any) -> None:
        """``sources`` (sentences, tokens) is 1 where a source has a token."""
        self.own = [Branching(beams) for _ in range(layers)]
        self.sources = DynamicCache()
        self.cache = EncoderDecoderCache(Cache(layers=self.own), self.sources)
        self._beams = beams
        self._source_mask = _mask(sources.bool())[:, None, None]
        self._origins = torch.zeros(len(sources), 1, 0, dtype=torch.long, device=sources.device)
        self._own_mask: Any = None
        self._extend(1)

    def branch(self, parents: Any) -> None:
        """Go on with beams that follow ``parents`` (sentences, beams)."""
        standing = parents.shape[1]
        self._origins = self._origins.gather(1, parents[:, :, None].expand(-1, -1, self._origins.shape[2]))
        self._extend(standing)

    def keep(self, which: Any) -> None:
        """Forget all sentences but ``which``: their numbers in the order that they shall have."""
        for layer in (*self.own, *self.sources.layers):
            layer.keys, layer.values = _kept(layer.keys, which), _kept(layer.values, which)
        self._source_mask, self._origins = self._source_mask[which], self._origins[which]

    def _extend(self, standing: int) -> None:
        here = torch.arange(standing, device=self._origins.device).expand(len(self._origins), -1)
        self._origins = torch.cat((self._origins, here[:, :, None]), dim=2)
        seen = torch.nn.functional.one_hot(self._origins, self._beams).bool()
        self._own_mask = _mask(seen.flatten(2))[:, None]

    def attend(self, module: Any, query: Any, key: Any, value: Any, scale: float, bias: Any) -> Any:
        """Return attention's output (rows, 1, heads, size)."""
        own, mask = self.own[module.layer_idx], self._source_mask
        if key is own.shape:
            key, value = (buffer[:, :, : own.length].flatten(2, 3) for buffer in (own.keys, own.values))
            mask = self._own_mask
            bias = None if bias is None else bias.repeat_interleave(self._beams, -1)
        rows, heads, _, size = query.shape
        query = query.view(len(key), -1, heads, size).transpose(1, 2)
        mask = (mask if bias is None else mask + bias).to(query.dtype)
        found = scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scale)
        return found.transpose(1, 2).reshape(rows, 1, heads, -1)


def _mask(seen: Any) -> Any:
    return torch.zeros(seen.shape, device=seen.device).masked_fill_(~seen, -torch.inf)


def _kept(buffer: Any, which: Any) -> Any:
    """Move what stays into the places of what goes, and give up the rest: ``buffer`` itself is changed."""
    moved = which != torch.arange(len(which), device=which.device)
    buffer[: len(which)][moved] = buffer[which[moved]]
    return buffer[: len(which)]


def attend(
    module: Any, query: Any, key: Any, value: Any, mask: Any, scaling: float | None = None, **more: Any
) -> tuple[Any, None]:
    """Return attention's output for one query (rows, heads, 1, size) of each beam.

    Raises:
        NotImplementedError: the model wants another attention.
    """
    refuse_foreign(more)
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    past: Past = BRANCHES.seen
    return past.attend(module, query, key, value, scale, more.get("position_bias")), None


BRANCHES = Interface("nlptasks_branches", attend)
"""Looks at the ``Past`` of the beams."""
