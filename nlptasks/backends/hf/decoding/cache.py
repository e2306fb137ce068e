"""Keys and values of the rows of a batch, a slot each, and of the beginnings that rows share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

STEP = 64
"""Capacities are multiples of it, so that a buffer fits the next row too."""


@dataclass(frozen=True, eq=False)
class Prefix:
    """The tokens that some prompts begin with; ``keys`` and ``values`` are by layer, each (heads, tokens, size)."""

    ids: Sequence[int]
    keys: dict[int, Any] = field(default_factory=dict)
    values: dict[int, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)


class Slots:
    """Room for ``rows`` of up to ``capacity`` tokens; tensors are made by layer when first written to.

    Each is (rows, heads, capacity, size). What lies behind a row's length is not defined.
    """

    def __init__(self, rows: int, capacity: int) -> None:
        self.rows, self.capacity = rows, -(-capacity // STEP) * STEP
        self._keys: dict[int, Any] = {}
        self._values: dict[int, Any] = {}

    def write(self, layer: int, slots: Any, places: Any, keys: Any, values: Any) -> tuple[Any, Any]:
        """Store ``keys`` and ``values`` (tokens, heads, size) and return the layer's whole buffers."""
        for buffers, new in ((self._keys, keys), (self._values, values)):
            if layer not in buffers:
                buffers[layer] = new.new_zeros(self.rows, new.shape[1], self.capacity, new.shape[2])
            buffers[layer][slots, :, places] = new
        return self._keys[layer], self._values[layer]

    def move(self, source: int, target: int, length: int) -> None:
        """Copy the first ``length`` tokens of one slot into another."""
        for buffers in (self._keys, self._values):
            for buffer in buffers.values():
                buffer[target, :, :length] = buffer[source, :, :length]

    def resized(self, rows: int, capacity: int, used: int) -> Slots:
        """Return larger slots with the contents of the first ``used`` of these."""
        larger = Slots(rows, capacity)
        for old, new in ((self._keys, larger._keys), (self._values, larger._values)):
            for layer, buffer in old.items():
                new[layer] = buffer.new_zeros(rows, buffer.shape[1], larger.capacity, buffer.shape[3])
                new[layer][:used, :, : self.capacity] = buffer[:used]
        return larger

    def prefix(self, ids: Sequence[int]) -> Prefix:
        """Return a copy of the first slot's beginning."""
        length = len(ids)
        keys, values = (
            {layer: buffer[0, :, :length].clone() for layer, buffer in buffers.items()}
            for buffers in (self._keys, self._values)
        )
        return Prefix(ids, keys, values)
