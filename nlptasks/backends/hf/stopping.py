"""When to stop generating besides the end token: stop texts, and a caller who left."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

SLACK = 8
"""Tokens looked back beyond the stop text, for special tokens, which decode to nothing."""


def holds(decode: Callable[[Sequence[int]], str], texts: Sequence[str], ids: Sequence[int]) -> bool:
    """Return whether the newest token of ``ids`` completed one of ``texts``."""
    # A token is at least one byte, so a text that was just completed lies within its own byte length.
    window = max(len(text.encode()) for text in texts) + SLACK
    tail = decode(ids[-window:])
    return any(text in tail for text in texts)


@dataclass(frozen=True)
class Stop:
    """A stopping criterion for transformers' ``generate``; answers begin at token ``start``."""

    decode: Callable[[Sequence[int]], str]
    texts: Sequence[str]
    start: int
    cancelled: threading.Event | None = None

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        """Return for each row whether it is done."""
        import torch

        if self.cancelled is not None and self.cancelled.is_set():
            done = [True] * len(input_ids)
        elif self.texts:
            done = [holds(self.decode, self.texts, ids) for ids in input_ids[:, self.start :].tolist()]
        else:
            done = [False] * len(input_ids)
        return torch.tensor(done, dtype=torch.bool, device=input_ids.device)
