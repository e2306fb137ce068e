"""How sure a figure is, and whether two differ by more than chance: resampling, with a fixed seed.

All of it is done on the rows of statistics that a metric gave, in an order of their own, so that the
order of the samples in a file changes nothing. Rows of one sample, such as its epochs, are drawn and exchanged
together: they tell less than as many samples would.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from nlptasks.metrics.base import Statistics

RESAMPLES = 1000
EXCHANGES = 5000
SEED = 12345
ROUNDING = 1e-9
"""Scores nearer than this are equal but for the order in which their parts were added."""
Aggregate = Callable[["Statistics"], Mapping[str, float]]


@dataclass(frozen=True)
class Spread:
    """Standard error and 95 % percentile interval."""

    stderr: float
    ci95: tuple[float, float]


@dataclass(frozen=True)
class Paired:
    """The spread of a difference, and the p-values of "there is none" by two tests, both two-sided."""

    spread: Spread
    p_bootstrap: float
    p_randomization: float


def spreads(
    aggregate: Aggregate, statistics: Statistics, samples: Sequence[Hashable] | None = None
) -> dict[str, Spread]:
    """Return the spread of each figure of ``aggregate`` over 1,000 bootstrap resamples (Efron, 1979).

    ``samples`` tells which sample each row is of; without it each is of its own.
    """
    order, sizes = _arranged(statistics, samples)
    rows = statistics[order]
    drawn = _collected(aggregate(rows[pick]) for pick in _picks(sizes))
    return {name: _spread(values) for name, values in drawn.items()}


def paired(
    aggregate: Aggregate, first: Statistics, second: Statistics, samples: Sequence[Hashable] | None = None
) -> dict[str, Paired]:
    """Return how sure the difference ``second - first`` of each figure is; row k of both is of one sample.

    ``samples`` is as for ``spreads``.

    The bootstrap draws samples with both their rows. Its p-value is the share of resampled differences at
    least as far from their mean as the difference is from zero; that of approximate randomization the share of
    5,000 random exchanges of the systems' rows that part them as far (Riezler and Maxwell, 2005,
    https://aclanthology.org/W05-0908). Both count the observation itself, so that none is 0.
    """
    order, sizes = _arranged(np.hstack([first, second]), samples)
    first, second = first[order], second[order]
    observed = _difference(aggregate(first), aggregate(second))
    picks = _picks(sizes)
    drawn = _collected(_difference(aggregate(first[pick]), aggregate(second[pick])) for pick in picks)
    exchanged = _collected(_exchanged(aggregate, first, second, sizes))
    return {
        name: Paired(
            _spread(drawn[name]),
            _p_value(drawn[name] - drawn[name].mean(), value),
            _p_value(exchanged[name], value),
        )
        for name, value in observed.items()
        if name in drawn and name in exchanged
    }


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number by Holm's step-down method (1979), in the same order."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = highest
    return corrected


def _arranged(statistics: Statistics, samples: Sequence[Hashable] | None) -> tuple[Any, Any]:
    """Return an order of the rows that puts those of one sample together, and how many rows each sample has."""
    order = np.lexsort(statistics.T[::-1])
    if samples is None:
        return order, np.ones(len(order), dtype=int)
    ordered = statistics[order]
    ranks = np.append(0, (ordered[1:] != ordered[:-1]).any(axis=1).cumsum())  # equal rows have one rank
    rows: dict[Hashable, list[tuple[int, int]]] = {}
    for rank, row in zip(ranks.tolist(), order.tolist(), strict=True):
        rows.setdefault(samples[row], []).append((rank, row))
    groups = sorted(rows.values(), key=lambda group: [rank for rank, _ in group])
    return np.array([row for group in groups for _, row in group]), np.array([len(group) for group in groups])


def _picks(sizes: Any) -> Iterator[Any]:
    """Yield the rows of as many samples as there are, drawn with replacement."""
    random = np.random.default_rng(SEED)
    starts = sizes.cumsum() - sizes
    for _ in range(RESAMPLES):
        drawn = random.integers(0, len(sizes), len(sizes))
        counts = sizes[drawn]
        ends = counts.cumsum()
        yield np.arange(ends[-1]) + np.repeat(starts[drawn] - (ends - counts), counts)


def _exchanged(aggregate: Aggregate, first: Statistics, second: Statistics, sizes: Any) -> Iterator[dict[str, float]]:
    random = np.random.default_rng(SEED)
    for _ in range(EXCHANGES):
        swap = np.repeat(random.random(len(sizes)) < 0.5, sizes)[:, None]
        yield _difference(aggregate(np.where(swap, second, first)), aggregate(np.where(swap, first, second)))


def _difference(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, float]:
    return {name: second[name] - first[name] for name in first if name in second}


def _collected(draws: Iterator[Mapping[str, float]]) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    """Return the values of each figure; a draw may lack one, such as that of questions without an answer."""
    values: dict[str, list[float]] = {}
    for draw in draws:
        for name, value in draw.items():
            values.setdefault(name, []).append(value)
    return {name: np.array(each) for name, each in values.items()}


def _spread(values: np.ndarray[Any, np.dtype[np.float64]]) -> Spread:
    low, high = np.percentile(values, [2.5, 97.5]).tolist()
    return Spread(float(values.std(ddof=1)) if len(values) > 1 else 0.0, (low, high))


def _p_value(values: np.ndarray[Any, np.dtype[np.float64]], observed: float) -> float:
    return float((1 + (np.abs(values) >= abs(observed) - ROUNDING).sum()) / (1 + len(values)))
