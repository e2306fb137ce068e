"""What prompts begin with alike, so that it is read once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

LEAST = 32
"""Tokens below which sharing is not worth its trouble."""


def shared(ids: Sequence[int], others: Iterable[Sequence[int]], known: int = 0) -> int:
    """Return how many tokens of ``ids`` to share with ``others``, 0 for none: where most reading is saved.

    ``known`` of them need not be read as it is; to share more, all are read once more. One token at least is left to
    each prompt.
    """
    lengths = sorted((common(ids, other) for other in others), reverse=True)
    saved = (((length - known) * rows - length, length) for rows, length in enumerate(lengths, 2))
    most, length = max(saved, default=(0, 0))
    return length if most > 0 and length >= LEAST else 0


def common(first: Sequence[int], second: Sequence[int]) -> int:
    """Return how many tokens two prompts begin with alike, less one where one of them has no more."""
    most = min(len(first), len(second)) - 1
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
