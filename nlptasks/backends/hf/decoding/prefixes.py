"""What prompts begin with alike, so that it is read once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

LEAST = 32
"""Tokens below which sharing is not worth its trouble."""


def shared(ids: Sequence[int], others: Iterable[Sequence[int]]) -> int:
    """Return how many tokens of ``ids`` to share with ``others``, 0 for none: where most reading is saved.

    At least one token is left to each prompt.
    """
    lengths = sorted((common(ids, other) for other in others), reverse=True)
    _, length = max(((length * (number + 1), length) for number, length in enumerate(lengths)), default=(0, 0))
    return length if length >= LEAST else 0


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
