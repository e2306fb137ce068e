"""Which layers and heads are looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlptasks.errors import UsageError
from nlptasks.explain.attention import Part

if TYPE_CHECKING:
    from nlptasks.explain.attention import Numbers


@dataclass(frozen=True)
class Map:
    """One heat map: ``weights`` are queries by keys; ``head`` is None for the mean of the layer's heads."""

    layer: int
    head: int | None
    weights: Numbers

    @property
    def title(self) -> str:
        return f"layer {self.layer}, " + ("mean of heads" if self.head is None else f"head {self.head}")


@dataclass(frozen=True)
class Choice:
    """Layers and heads by number from 0, None for all; ``named`` says whether the user chose any."""

    layers: tuple[int, ...] | None = None
    heads: tuple[int, ...] | None = None
    named: bool = False

    def check(self, part: Part) -> None:
        """Raise UsageError for a layer or head that ``part`` does not have."""
        self._check("layer", self.layers, len(part.layers), part)
        self._check("head", self.heads, part.heads, part)

    def _check(self, kind: str, chosen: Sequence[int] | None, count: int, part: Part) -> None:
        for number in chosen or ():
            if not 0 <= number < count:
                have = f"{kind}s 0 to {count - 1}" if count > 1 else f"{kind} 0 only"
                raise UsageError(f"There is no {kind} {number}: the {part.name} attention of this model has {have}.")

    def pairs(self, part: Part) -> list[tuple[int, int]]:
        """Return (layer, head) of all that is chosen."""
        return [(layer, head) for layer in self._layers(part) for head in self._heads(part)]

    def maps(self, part: Part) -> Iterator[Map]:
        """Yield a map for each chosen head; where none was named, for the mean of each layer's heads."""
        if not self.named:
            for number, layer in enumerate(part.layers):
                yield Map(number, None, layer.weights.mean(axis=0))
        else:
            for number, head in self.pairs(part):
                yield Map(number, head, part.layers[number].weights[head])

    def mean(self, part: Part) -> Any:
        """Return the mean weights of all chosen heads, queries by keys."""
        import numpy as np

        return np.mean([part.layers[layer].weights[head] for layer, head in self.pairs(part)], axis=0)

    def one(self, part: Part) -> tuple[int, int]:
        """Return the only (layer, head). Raises UsageError where several are chosen."""
        pairs = self.pairs(part)
        if len(pairs) > 1:
            raise UsageError("Name one --layer and one --head with --position: their numbers are shown.")
        return pairs[0]

    def _layers(self, part: Part) -> Sequence[int]:
        return range(len(part.layers)) if self.layers is None else self.layers

    def _heads(self, part: Part) -> Sequence[int]:
        return range(part.heads) if self.heads is None else self.heads
