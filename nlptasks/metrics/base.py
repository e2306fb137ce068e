"""The metric contract: an ``evaluate.Metric`` that can also say what each sample contributed.

Two methods carry everything else: ``statistics`` gives a row of numbers for each sample, ``aggregate``
turns rows into scores. The corpus value, its bootstrap interval and the comparison of two systems are
``aggregate`` of all rows, of resampled rows and of exchanged rows.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import datasets
import evaluate

if TYPE_CHECKING:
    import numpy as np

    Statistics = np.ndarray[tuple[int, int], np.dtype[np.float64]]

TEXT = datasets.Value("string")


class Metric(evaluate.Metric):  # type: ignore[misc]
    """A metric over texts; all its scores are on 0-100 unless a part's name says otherwise.

    ``lang`` is the BCP-47 code of the predictions' language, None to detect it. A subclass takes further
    keyword arguments for what its ``signature`` names.
    """

    name: ClassVar[str]
    version: ClassVar[str] = "1"
    columns: ClassVar[tuple[str, ...]] = ()
    """Columns of a row, beyond prediction and references, that ``statistics`` takes as lists by name."""
    reads_references: ClassVar[bool] = True
    """Whether ``statistics`` needs references; where it does not, texts without any can be scored."""
    lower_is_better: ClassVar[frozenset[str]] = frozenset()
    """The parts of which a lower score is the better one."""
    counts: ClassVar[frozenset[str]] = frozenset()
    """The parts that are no scores but say how many samples there are of a kind."""
    unanswerable: ClassVar[str | None] = None
    """The metric that takes this one's place, unless it was asked for by name, where some samples have no reference."""
    divisible: ClassVar[bool] = False
    """Whether many rows may be divided among processes: not for a metric that holds a model."""
    citation: ClassVar[str] = ""

    def __init__(self, *, lang: str | None = None) -> None:
        self.lang = lang
        super().__init__()

    @abstractmethod
    def statistics(
        self, predictions: Sequence[str], references: Sequence[Sequence[str]], **columns: Sequence[Any]
    ) -> Statistics:
        """Return an array of shape (samples, statistics)."""

    @abstractmethod
    def aggregate(self, statistics: Statistics) -> dict[str, float]:
        """Return the scores of a set of samples by the name of the part, such as ``{"rouge1": 41.2, ...}``."""

    def rows_of(self, part: str, statistics: Statistics) -> Sequence[bool]:
        """Return for each row whether a part is a score of it; of all of them unless the metric says otherwise."""
        return [True] * len(statistics)

    @property
    def signature_parts(self) -> Mapping[str, str]:
        """What a score depends on, beyond the metric's name and version."""
        return {}

    @property
    def signature(self) -> str:
        """One string that tells whether two scores may be compared: ``rouge|v:1|lang:de|stem:cistem``."""
        return "|".join([self.name, f"v:{self.version}", *(f"{k}:{v}" for k, v in self.signature_parts.items())])

    def _info(self) -> evaluate.MetricInfo:
        several = datasets.Features({"predictions": TEXT, "references": datasets.Sequence(TEXT)})
        single = datasets.Features({"predictions": TEXT, "references": TEXT})
        return evaluate.MetricInfo(
            description=type(self).__doc__ or "",
            citation=self.citation,
            inputs_description="predictions: texts; references: a text, or a list of texts, for each",
            features=[several, single],
        )

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the locks of the last computation: they are released, and cannot be pickled."""
        return {**vars(self), "filelocks": None}

    def compute(self, *, predictions: Any = None, references: Any = None, **columns: Any) -> Any:
        """Return the scores of what is given here, or was added before.

        Raises:
            ValueError: there is nothing to score.
        """
        if predictions is not None and not len(predictions):  # evaluate would fail on its first element
            raise ValueError(f"{self.name}: there is nothing to score")
        return super().compute(predictions=predictions, references=references, **columns)

    def _compute(
        self, predictions: Sequence[str], references: Sequence[Any], **columns: Sequence[Any]
    ) -> dict[str, float]:
        listed = [[one] if isinstance(one, str) else list(one) for one in references]
        return self.aggregate(self.statistics(predictions, listed, **columns))
