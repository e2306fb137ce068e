"""Rows of like length in one batch, padded to one of few widths, in an order that a seed fixes.

Few widths, because the libraries below torch keep memory for every shape that they have met.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nlptasks.training.options import TrainingOptions

EPOCHS = 3
"""Where the user gives no number."""
NARROWEST = 4


def width(length: int) -> int:
    """Return the width that rows of ``length`` tokens are padded to: from 17 on, at most a quarter more."""
    step = max(NARROWEST, 1 << max(0, (length - 1).bit_length() - 3))
    return -(-length // step) * step


def padded(rows: Sequence[Sequence[int]], filler: int) -> Any:
    """Return rows of ids as one tensor, filled up on the right."""
    import numpy as np
    import torch

    table = np.full((len(rows), width(max(map(len, rows)))), filler, dtype=np.int64)
    for index, row in enumerate(rows):
        table[index, : len(row)] = row
    return torch.from_numpy(table)


def mask(rows: Sequence[Sequence[int]]) -> Any:
    """Return the attention mask of rows padded by ``padded``."""
    return padded([[1] * len(row) for row in rows], 0)


@dataclass(frozen=True)
class Part:
    """The rows ``first`` to ``end`` (exclusive), which come from one file; an epoch takes ``weight`` of them."""

    first: int
    end: int
    weight: float

    def draw(self, chance: random.Random) -> list[int]:
        """Return the rows of one epoch."""
        rows = range(self.first, self.end)
        whole, rest = divmod(max(1, round(len(rows) * self.weight)), len(rows))
        return [*rows] * whole + chance.sample(rows, rest)


@dataclass(frozen=True)
class Plan:
    """All batches of a training, each a list of rows, and how many of them belong to each epoch."""

    batches: Sequence[Sequence[int]]
    epochs: Sequence[int]

    @classmethod
    def make(
        cls, sizes: Sequence[tuple[int, ...]], parts: Sequence[Part], options: TrainingOptions, least: int = 0
    ) -> Plan:
        """Return the plan for rows of these sizes in tokens; ``least`` updates where no number of epochs is given."""
        chance = random.Random(options.seed)
        widths = [tuple(map(width, size)) for size in sizes]
        batches: list[list[int]] = []
        epochs: list[int] = []
        while len(epochs) < (options.epochs or EPOCHS) or (options.epochs is None and len(batches) < least):
            rows = [row for part in parts for row in part.draw(chance)]
            chance.shuffle(rows)
            rows.sort(key=widths.__getitem__)
            found = list(_cut(rows, widths, options))
            chance.shuffle(found)
            if options.curriculum and not epochs:  # roughly: longer ones among the short from the start
                found.sort(key=lambda batch: sum(widths[batch[-1]]) * chance.uniform(0.5, 1.5))
            epochs.append(len(found))
            batches += found
            if options.max_steps is not None and len(batches) >= options.max_steps:
                break
        return cls(batches[: options.max_steps], epochs)

    def epoch(self, step: int) -> float:
        """Return how many epochs are done after ``step`` updates."""
        for number, size in enumerate(self.epochs):
            if step <= size:
                return number + step / size
            step -= size
        return float(len(self.epochs))

    @property
    def ends(self) -> set[int]:
        """The updates that end an epoch, and the last one."""
        sums = [sum(self.epochs[: number + 1]) for number in range(len(self.epochs))]
        return {*(end for end in sums if end <= len(self.batches)), len(self.batches)}


def _cut(rows: Sequence[int], widths: Sequence[tuple[int, ...]], options: TrainingOptions) -> Iterator[list[int]]:
    """Cut rows, sorted by width, into batches."""
    batch: list[int] = []
    tokens = 0
    for row in rows:
        tokens = max(tokens, sum(widths[row])) if batch else sum(widths[row])
        if batch and _full(batch, tokens, options):
            yield batch
            batch, tokens = [], sum(widths[row])
        batch.append(row)
    if batch:
        yield batch


def _full(batch: Sequence[int], tokens: int, options: TrainingOptions) -> bool:
    if options.batch_tokens is not None:
        return tokens * (len(batch) + 1) > options.batch_tokens
    return len(batch) >= options.batch_size
