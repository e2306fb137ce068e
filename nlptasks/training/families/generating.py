"""What the families that write text share: the loss, and the checkpoint's own generation settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nlptasks.backends.hf.generation import GeneratingBackend
from nlptasks.backends.hf.loading import load_weights
from nlptasks.training.families.base import Family

IGNORED = -100
"""The label of a token that is not learnt."""
LONGEST = 1024
"""Most tokens of a row where neither the user nor the model says less."""


class GeneratingFamily(Family):
    """Learns the next token of an answer."""

    backend: GeneratingBackend
    _generation: Any = None

    def load(self) -> Any:
        model = load_weights(self.backend.source, self.backend.auto_class, self.backend.config).float()
        self._generation = model.generation_config
        unsaved = model._keys_to_ignore_on_save or ()  # such as Marian's positions, which follow a formula
        for name, weights in model.named_parameters():
            if name in unsaved:
                weights.requires_grad_(False)
        return model

    @property
    def longest(self) -> int:
        """Most tokens of a row."""
        known = (self.options.max_length, self.backend.context)
        return min(size for size in (*known, *([] if known[0] else [LONGEST])) if size)

    def check(self, length: int) -> None:
        """Raise ValueError for a row that is too long: it is left out, for a cut one would teach to stop early."""
        if length > self.longest:
            raise ValueError(f"it is too long for --max-length {self.longest} ({length} tokens)")

    def weight(self, inputs: Mapping[str, Any]) -> float:
        return max(1.0, float((inputs["labels"] != IGNORED).sum()))

    def cross_entropy(self, logits: Any, labels: Any) -> Any:
        """Return the mean loss over the tokens that are learnt."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(
            logits.flatten(0, 1).float(),
            labels.flatten(),
            ignore_index=IGNORED,
            label_smoothing=self.options.label_smoothing,
        )

    def save(self, model: Any, folder: Path) -> None:
        adjusted, model.generation_config = model.generation_config, self._generation
        super().save(model, folder)
        model.generation_config = adjusted
