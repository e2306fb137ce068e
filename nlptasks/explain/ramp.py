"""Colours that grow with a weight, the same in the terminal and in pictures."""

from __future__ import annotations

from collections.abc import Sequence

Colour = tuple[int, int, int]

DARK: Sequence[Colour] = ((20, 27, 45), (22, 66, 124), (35, 118, 200), (106, 178, 242), (222, 240, 255))
"""From nothing to all, on a dark ground: brighter is more."""

LIGHT: Sequence[Colour] = ((246, 248, 251), (190, 217, 245), (96, 158, 224), (30, 94, 176), (8, 38, 92))
"""The same on a light ground: darker is more."""


def colour(weight: float, stops: Sequence[Colour]) -> Colour:
    """Return the colour of a weight (0-1): ``stops`` are evenly spaced by its root, since most weights are small."""
    place = min(max(weight, 0.0), 1.0) ** 0.5 * (len(stops) - 1)
    below = min(int(place), len(stops) - 2)
    share = place - below
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(stops[below], stops[below + 1], strict=True))
    return red, green, blue


def ink(ground: Colour) -> Colour:
    """Return black or white, whichever can be read on ``ground`` (by its luma)."""
    red, green, blue = ground
    return (10, 14, 22) if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else (240, 244, 250)
