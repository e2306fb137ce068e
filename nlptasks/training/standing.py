"""How far training is, and what its evaluations say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nlptasks.errors import UnknownNameError


@dataclass(frozen=True)
class Update:
    """How far training is: ``step`` of ``steps`` updates; ``scores`` only where an evaluation was just made."""

    step: int
    steps: int
    epoch: float
    loss: float | None
    tokens_per_second: float
    scores: Mapping[str, float] = field(default_factory=dict)


Watch = Callable[[Update], None]


@dataclass(frozen=True)
class Standing:
    """What the evaluations of a history say: the best of them, and how many came after it."""

    step: int
    scores: Mapping[str, float]
    since: int

    @classmethod
    def of(cls, history: Sequence[Mapping[str, Any]], metric: str | None) -> Standing | None:
        """Read the evaluations of a loss curve; ``metric`` None takes each one's first figure.

        Raises:
            UnknownNameError: there is no such figure.
        """
        found = [(int(entry["step"]), scores) for entry in history if (scores := figures(entry))]
        if not found:
            return None
        if metric is not None and metric not in found[0][1]:
            raise UnknownNameError("metric", metric, found[0][1], f"There are: {', '.join(found[0][1])}")
        name = metric or next(iter(found[0][1]))
        sign = -1 if name in ("loss", "perplexity") else 1
        best = max(range(len(found)), key=lambda place: (sign * found[place][1][name], -place))
        return cls(*found[best], len(found) - 1 - best)


def figures(entry: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures of an evaluation in a loss curve, none for another entry."""
    return {name.removeprefix("eval_"): value for name, value in entry.items() if name.startswith("eval_")}
