"""The next tokens of a batch: the likeliest, or one drawn for each row that samples.

Every row draws from random numbers of its own, so that a seed gives the same text whoever else is in the batch.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nlptasks.backends.hf.plan import Plan


@dataclass
class Sampling:
    """How one row draws: ``top_p`` is the share of the likeliest tokens that may be drawn (0 to 1)."""

    temperature: float
    top_p: float
    seed: int | None
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.seed = secrets.randbits(63) if self.seed is None else self.seed
        self.begin_again()

    def begin_again(self) -> None:
        """Draw the same again."""
        self.chance = random.Random(self.seed)


def sampling(plan: Plan) -> Sampling | None:
    """Return how a plan draws, None where it takes the likeliest."""
    if not plan.sampled:
        return None
    return Sampling(plan.settings["temperature"], plan.settings["top_p"], plan.seed)


def choose(scores: Any, rows: Sequence[Sampling | None]) -> list[int]:
    """Return a token for every row of ``scores`` (rows, vocabulary)."""
    chosen: list[int] = scores.argmax(-1).tolist() if rows else []
    for wide in (False, True):
        drawing = [at for at, row in enumerate(rows) if row is not None and (row.top_p >= 1) == wide]
        if drawing:
            drawn = draw(scores[drawing], [row for row in rows if row is not None and (row.top_p >= 1) == wide], wide)
            for at, token in zip(drawing, drawn, strict=True):
                chosen[at] = token
    return chosen


def draw(scores: Any, rows: Sequence[Sampling], wide: bool) -> list[int]:
    """Draw a token for every row; ``wide``: from the whole vocabulary.

    Else from the nucleus, the fewest tokens that have ``top_p`` of all probability. Source: "The Curious Case of Neural
    Text Degeneration", Holtzman et al. 2020, section 3.1.
    """
    import torch

    numbers = torch.float32 if scores.device.type == "mps" else torch.float64  # which has none so long

    def column(values: Sequence[float]) -> Any:
        return torch.tensor(values, dtype=numbers, device=scores.device)[:, None]

    shares = (scores.to(numbers) / column([row.temperature for row in rows])).softmax(-1)
    tokens = None
    if not wide:
        shares, tokens = shares.sort(-1, descending=True)
        before = shares.cumsum(-1) - shares
        shares = shares.masked_fill((before >= column([row.top_p for row in rows])) & (before > 0), 0)
    sums = shares.cumsum(-1)
    points = column([row.chance.random() for row in rows]) * sums[:, -1:]
    places = torch.searchsorted(sums, points, right=True).clamp_max(scores.shape[-1] - 1)
    drawn: list[int] = (places if tokens is None else tokens.gather(-1, places))[:, 0].tolist()
    return drawn
