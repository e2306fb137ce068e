"""What scoring and comparing return: typed, and ready for JSON, Markdown and pandas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Score:
    """One figure: ``stderr`` and ``ci95`` (2.5th and 97.5th percentile) are of the bootstrap over ``n`` samples.

    A sample that was asked several times (epochs) is one of them.
    """

    value: float
    stderr: float
    ci95: tuple[float, float]
    n: int
    signature: str


@dataclass(frozen=True)
class Scores:
    """The figures of one system by name, such as ``rouge1``; all on 0-100 unless the name says otherwise.

    ``counts`` tells of every sample, scored or not; ``groups`` holds the same figures by the values of a
    column (``--by``); ``run`` is the run directory, where there is one.
    """

    results: Mapping[str, Score]
    counts: Mapping[str, int]
    groups: Mapping[str, Mapping[str, Score]] = field(default_factory=dict)
    run: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        found = {"results": {name: asdict(score) for name, score in self.results.items()}, "counts": dict(self.counts)}
        if self.groups:
            found["groups"] = {
                g: {name: asdict(one) for name, one in scores.items()} for g, scores in self.groups.items()
            }
        return found if self.run is None else {**found, "run": self.run}

    def to_markdown(self) -> str:
        """Return a table with a row for each figure."""
        lines = ["| metric | value | 95 % interval | stderr | n |", "|---|---:|---|---:|---:|"]
        for group, scores in {"": self.results, **self.groups}.items():
            for name, one in scores.items():
                low, high = one.ci95
                label = f"{name} ({group})" if group else name
                lines.append(f"| {label} | {one.value:.2f} | {low:.2f} to {high:.2f} | {one.stderr:.2f} | {one.n} |")
        return "\n".join(lines)

    def to_pandas(self) -> pandas.DataFrame:
        """Return a frame with a row for each figure."""
        import pandas

        rows = [
            {"group": group, "metric": name, **asdict(one)}
            for group, scores in {"": self.results, **self.groups}.items()
            for name, one in scores.items()
        ]
        return pandas.DataFrame(rows)
