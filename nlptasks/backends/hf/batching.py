"""Prompts of one length next to each other, as many at once as the token bound allows."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from nlptasks.backends.hf.answer import Reading
from nlptasks.backends.hf.plan import Plan
from nlptasks.records import Request

READ_AT_ONCE = 16384
"""Tokens that a model which only reads is given at once: more are read no faster."""


@dataclass(frozen=True)
class Prompt:
    """One request as the model reads it: its tokens, how to generate and how to read the answer.

    ``target`` holds the tokens to score instead of generating, ``tensors`` what else the model takes. ``expected`` is
    how many tokens the answer will hardly exceed, where that is known better than by the plan.
    """

    position: int
    request: Request
    ids: Sequence[int]
    plan: Plan
    reading: Reading = field(default_factory=Reading)
    target: Sequence[int] = ()
    tensors: Mapping[str, Any] = field(default_factory=dict)
    expected: int | None = None

    @property
    def plain(self) -> bool:
        """Whether its tokens are chosen one by one, by nothing but their scores."""
        return not (self.target or self.tensors or self.request.schema) and self.plan.plain

    @property
    def size(self) -> int:
        """The most tokens this prompt and its answer are likely to come to."""
        longest = self.plan.max_new_tokens
        answer = len(self.target) if self.target else min(longest, self.expected or longest)
        return (len(self.ids) + answer) * self.plan.rows

    @property
    def group(self) -> Hashable:
        """Equal for prompts that may share a batch."""
        if self.target:
            return "score"
        if self.tensors or self.plan.alone:
            return self.position
        length = len(self.ids) if self.plan.sees_padding else None
        return self.plan.group, length, str(self.request.schema)


class Row(Protocol):
    """What can stand in a batch."""

    @property
    def size(self) -> int:
        """The most tokens this row is likely to come to."""

    @property
    def group(self) -> Hashable:
        """Equal for rows that may share a batch."""


R = TypeVar("R", bound=Row)


def batches(rows: Iterable[R], max_tokens: int) -> Iterator[list[R]]:
    """Yield batches of one group and like length, each within ``max_tokens`` unless one row alone is not."""
    groups: dict[Hashable, list[R]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    for group in groups.values():
        batch: list[R] = []
        for row in sorted(group, key=lambda row: row.size, reverse=True):
            if batch and batch[0].size * (len(batch) + 1) > max_tokens:
                yield batch
                batch = []
            batch.append(row)
        yield batch


def pad(rows: Sequence[Sequence[int]], filler: int, left: bool, device: Any) -> dict[str, Any]:
    """Return ``input_ids`` and ``attention_mask`` of rows padded to the longest."""
    import torch

    width = max(map(len, rows))
    ids = torch.full((len(rows), width), filler, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for index, row in enumerate(rows):
        where = slice(width - len(row), width) if left else slice(0, len(row))
        ids[index, where] = torch.tensor(row, dtype=torch.long)
        mask[index, where] = 1
    return {"input_ids": ids.to(device), "attention_mask": mask.to(device)}
