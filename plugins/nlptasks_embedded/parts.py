"""The trained parts: their weights, what is known of them, and the models that they are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlptasks.errors import ModelError

if TYPE_CHECKING:
    from nlptasks import Backend

WEIGHTS = Path(__file__).parent / "weights"
FACTS = "parts.json"


@dataclass(frozen=True)
class Part:
    """One trained model. ``languages`` are codes, of a translator pairs such as "en-de"; ``size`` is in bytes.

    ``scores`` has for each benchmark its figures as they are quoted.
    """

    task: str
    languages: Sequence[str]
    parameters: int
    size: int
    sha256: str
    base: str
    licence: str
    sources: Sequence[str]
    scores: Mapping[str, str] = field(default_factory=dict)

    @property
    def facts(self) -> str:
        """All that a user may want to know, in one line."""
        scores = "; ".join(f"{name} {figure}" for name, figure in self.scores.items())
        size = f"{self.parameters / 1e6:.1f}M parameters in {self.size / 1e6:.1f} MB"
        return " | ".join(filter(None, [", ".join(self.languages), size, scores, self.licence]))


class Parts:
    """The parts in a folder, each loaded when it is first asked."""

    def __init__(self, folder: Path = WEIGHTS) -> None:
        self.folder = folder
        self._stack = ExitStack()
        self._models: dict[str, Backend] = {}

    @cached_property
    def known(self) -> Mapping[str, Part]:
        """The parts by their tasks.

        Raises:
            ModelError: the folder holds none.
        """
        try:
            facts = json.loads((self.folder / FACTS).read_text("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise ModelError(
                f"{self.folder} is no folder of parts that the recipe of the embedded model wrote ({error}): "
                "--model embedded takes those of the package."
            ) from None
        return {task: Part(task, **one) for task, one in facts.items()}

    def speaks(self, task: str, language: str) -> bool:
        """Return whether a trained part does ``task`` in a language, or between two of them."""
        return task in self.known and language in self.known[task].languages

    def model(self, task: str) -> Any:
        """Return the part as a backend of its own, loaded."""
        if task not in self._models:
            from nlptasks.backends.hf import Options, load

            self._models[task] = self._stack.enter_context(load(str(self.folder / task), Options()))
        return self._models[task]

    @property
    def identity(self) -> str:
        """What tells these weights from others."""
        return "-".join(part.sha256[:8] for part in self.known.values())

    def close(self) -> None:
        """Free the models."""
        self._models.clear()
        self._stack.close()
