"""How a selector learns which sentences make a summary: those that a reference's words lead to.

The encoder stays as it is. Its embeddings are worked out once, so that learning itself takes seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from nlptasks.backends.hf.backend import HFBackend
from nlptasks.backends.hf.loading import SELECTION, Source, load_weights
from nlptasks.backends.hf.selection import SelectionBackend
from nlptasks.training.buckets import width
from nlptasks.training.families.base import Example, Family, Feature
from nlptasks.training.families.oracle import oracle

OUTSIDE = -100.0
"""The label behind a document's end."""


class SelectionFamily(Family):
    """Heads that score sentences, on selectors or on bare encoders."""

    tasks = SelectionBackend.tasks
    learning_rate = 1e-3

    @classmethod
    def open(cls, source: Source, config: Any) -> HFBackend:
        from nlptasks.backends.hf.selector import SelectorConfig

        return SelectionBackend(source, config if config.model_type == SELECTION else SelectorConfig(config))

    def load(self) -> Any:
        return self._selector

    @cached_property
    def _selector(self) -> Any:
        """The model; features need its encoder, before training begins."""
        from transformers import set_seed

        from nlptasks.backends.hf.selector import on_encoder

        set_seed(self.options.seed)
        config, source = self.backend.config, self.backend.source
        if config.architectures:
            model = load_weights(source, self.backend.auto_class, config)
        else:  # made for a bare encoder, by ``open``
            model = on_encoder(load_weights(source, self.backend.auto_class, config.encoder, new_head=True))
        if model.encoder is not None:
            model.encoder.requires_grad_(False)
        return model.eval()

    def features(self, example: Example) -> list[Feature]:
        import numpy as np

        assert isinstance(self.backend, SelectionBackend)
        document = self.backend.document(example.request)
        best = oracle(document.sentences, example.target)
        if not best:
            raise ValueError("no sentence has a word of the summary")
        labels = np.zeros(len(document.sentences), dtype=np.float32)
        labels[best] = 1 / len(best)
        self.backend.adopt(self._selector)
        inputs = self.backend.inputs(document)
        return [{"labels": labels, **{name: tensor.cpu().numpy() for name, tensor in inputs.items()}}]

    def collate(self, features: Sequence[Feature]) -> dict[str, Any]:
        rows = width(max(map(self._length, features)))
        inputs = {
            "features": _stack([row["features"] for row in features], rows, 0),
            "labels": _stack([row["labels"] for row in features], rows, OUTSIDE),
        }
        if any("embeddings" in row for row in features):
            size = self.backend.config.encoder.hidden_size
            found = [row.get("embeddings", _nothing(size)) for row in features]
            inputs["embeddings"] = _stack(found, 1 + rows, 0)
        return inputs

    def sizes(self, feature: Feature) -> tuple[int, ...]:
        return (self._length(feature),)

    def save(self, model: Any, folder: Path) -> None:
        model.save_pretrained(folder)
        if model.encoder is not None:
            self.backend.tokenizer.save_pretrained(folder)

    @staticmethod
    def _length(feature: Mapping[str, Any]) -> int:
        return len(feature["labels"])


def _nothing(size: int) -> Any:
    import numpy as np

    return np.zeros((0, size), dtype=np.float32)


def _stack(arrays: Sequence[Any], rows: int, filler: float) -> Any:
    """Return arrays as one tensor, each filled up to so many rows."""
    import numpy as np
    import torch

    table = np.full((len(arrays), rows, *arrays[0].shape[1:]), filler, dtype=np.float32)
    for index, array in enumerate(arrays):
        table[index, : len(array)] = array
    return torch.from_numpy(table)
