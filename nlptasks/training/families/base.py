"""The contract of a family: how its models learn from examples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from nlptasks.records import Request, Sample
from nlptasks.training.options import TrainingOptions

if TYPE_CHECKING:
    from pathlib import Path

    from nlptasks.backends.hf.backend import HFBackend
    from nlptasks.backends.hf.loading import Source

Feature = Mapping[str, Any]
"""One row of a batch before padding: ids and labels as flat sequences of int, plain numbers, or numpy arrays."""


@dataclass(frozen=True)
class Example:
    """A sample, what the task asks a backend about it, and the answer to learn.

    Where it is ``plain``, nothing is asked: ``target`` is a text to be learnt from its first word on.
    """

    sample: Sample
    request: Request
    target: str
    plain: bool = False


class Family(ABC):
    """How the models of one family learn. There is one object for each training.

    ``backend`` is the family's own backend around the model that is trained: it encodes the prompts, so that a model
    is trained on what it will be asked, and it answers in evaluations while training goes on.
    """

    tasks: ClassVar[frozenset[str] | None] = None
    """The only tasks that this family learns; None for any."""

    learning_rate: ClassVar[float] = 5e-5
    """A peak that suits its models."""

    def __init__(self, backend: HFBackend, options: TrainingOptions) -> None:
        self.backend = backend
        self.options = options

    @classmethod
    def rate(cls, options: TrainingOptions) -> float:
        """Return the peak of the learning rate where the user gives none."""
        return cls.learning_rate

    @classmethod
    @abstractmethod
    def open(cls, source: Source, config: Any) -> HFBackend:
        """Return the backend for a model to begin with. Loads no weights.

        ``config`` may be that of a bare encoder where the family can put a head on it.
        """

    @abstractmethod
    def load(self) -> Any:
        """Return the model to train, in float32 and on its device; weights that it lacks are new.

        The caller hands it to ``backend.adopt``.
        """

    @abstractmethod
    def features(self, example: Example) -> list[Feature]:
        """Return what is learnt from one example: one row or several, none where there is nothing to learn.

        Raises:
            SampleError, ValueError: the example cannot be learnt from; it is left out, counted and told of.
        """

    def pack(self, features: Sequence[Feature]) -> Sequence[Feature]:
        """Return the features of a file as the rows to learn from; of short ones, one may be made."""
        return features

    @abstractmethod
    def collate(self, features: Sequence[Feature]) -> dict[str, Any]:
        """Return the tensors of a batch, on the CPU. Widths are those of ``buckets.width``."""

    def sizes(self, feature: Feature) -> tuple[int, ...]:
        """Return the lengths in tokens by which rows are put into batches of like ones."""
        return (len(feature["input_ids"]),)

    def weight(self, inputs: Mapping[str, Any]) -> float:
        """Return how much a batch counts beside others: of tokens learnt, or of rows."""
        return float(len(next(iter(inputs.values()))))

    def split(self, inputs: Mapping[str, Any], count: int) -> Sequence[Mapping[str, Any]]:
        """Return a batch as ``count`` smaller ones, or fewer where it has not so many rows."""
        if count == 1:
            return [inputs]
        parts = {name: tensor.chunk(count) for name, tensor in inputs.items()}
        return [dict(zip(parts, each, strict=True)) for each in zip(*parts.values(), strict=True)]

    def loss(self, model: Any, inputs: Mapping[str, Any]) -> Any:
        """Return the mean loss of a batch, as a tensor of one number."""
        return model(**inputs)["loss"]

    def save(self, model: Any, folder: Path) -> None:
        """Write weights (safetensors), config and tokenizer, such that ``hf/FOLDER`` loads."""
        from nlptasks.backends.hf.quiet import quiet

        with quiet():
            model.save_pretrained(folder)
            self.backend.tokenizer.save_pretrained(folder)

    def finished(self, folder: Path) -> Path:
        """Return the folder of the model as the user wants it, made from what ``save`` wrote into ``folder``."""
        return folder
