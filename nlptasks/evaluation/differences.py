"""What comparing returns: typed, and ready for JSON, Markdown and pandas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Difference:
    """One figure of two runs: ``difference`` is ``value - baseline``, ``ci95`` its interval of the paired bootstrap.

    The p-values are two-sided, see ``bootstrap.paired``; ``p_holm`` is that of approximate randomization after
    Holm's correction for all figures of the comparison. A win is a sample that the run did better on than the
    baseline; samples that have no such figure of their own are not counted, and where none has, all three are None.
    """

    baseline: float
    value: float
    difference: float
    ci95: tuple[float, float]
    p_bootstrap: float
    p_randomization: float
    p_holm: float
    wins: int | None
    ties: int | None
    losses: int | None
    n: int
    signature: str


@dataclass(frozen=True)
class Change:
    """A sample with the texts and the scores of both runs, the baseline's first."""

    id: str
    figure: str
    scores: tuple[float, float]
    predictions: tuple[str, str]
    references: tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """A run against the baseline; ``unpaired`` samples failed or are missing in one of the two, and are left out.

    ``changes`` are the samples whose first figure changed most.
    """

    run: str
    unpaired: int
    differences: Mapping[str, Difference]
    changes: Sequence[Change]


@dataclass(frozen=True)
class Comparison:
    """Every run against the first one, the baseline."""

    baseline: str
    pairs: Sequence[Pair]

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return asdict(self)

    def rows(self) -> Iterator[tuple[str, str, Difference]]:
        """Yield every run, figure and difference."""
        return ((pair.run, name, one) for pair in self.pairs for name, one in pair.differences.items())

    def to_markdown(self) -> str:
        """Return a table with a row for each figure of each run."""
        lines = [
            "| run | metric | baseline | value | difference | 95 % interval | p | p (Holm) | wins/ties/losses | n |",
            "|---|---|---:|---:|---:|---|---:|---:|---|---:|",
        ]
        lines += ["| " + " | ".join(cells(run, name, one)) + " |" for run, name, one in self.rows()]
        return "\n".join(lines)

    def to_pandas(self) -> pandas.DataFrame:
        """Return a frame with a row for each figure of each run."""
        import pandas

        return pandas.DataFrame([{"run": run, "metric": name, **asdict(one)} for run, name, one in self.rows()])


def cells(run: str, name: str, one: Difference) -> list[str]:
    """Return a row of the table for people."""
    low, high = one.ci95
    counts = "-" if one.wins is None else f"{one.wins}/{one.ties}/{one.losses}"
    values = [f"{one.baseline:.2f}", f"{one.value:.2f}", f"{one.difference:+.2f}", f"{low:+.2f} to {high:+.2f}"]
    return [run, name, *values, f"{one.p_randomization:.4f}", f"{one.p_holm:.4f}", counts, str(one.n)]
