"""How a model learns to point at the first and last token of an answer, in the windows that it will be asked in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nlptasks.backends.hf.backend import HFBackend
from nlptasks.backends.hf.extractive import ExtractiveBackend
from nlptasks.backends.hf.loading import Source, load_weights
from nlptasks.backends.hf.spans import Window
from nlptasks.records import Sample
from nlptasks.training.buckets import padded
from nlptasks.training.families.base import Example, Family, Feature

Span = tuple[int, int]


class ExtractiveFamily(Family):
    """Span heads, on models that have one or on bare encoders."""

    tasks = ExtractiveBackend.tasks
    learning_rate = 1e-4

    @classmethod
    def open(cls, source: Source, config: Any) -> HFBackend:
        return ExtractiveBackend(source, config)

    def load(self) -> Any:
        return load_weights(self.backend.source, self.backend.auto_class, self.backend.config, new_head=True)

    def features(self, example: Example) -> list[Feature]:
        request = example.request
        if self.options.max_length is not None:
            extra = {**request.config.extra, "max_seq_len": self.options.max_length}
            request = replace(request, config=replace(request.config, extra=extra))
        assert isinstance(self.backend, ExtractiveBackend)
        span = _answer(example.sample, request.fields["context"])
        return [self._feature(window, span) for window in self.backend.windows(0, request)]

    def _feature(self, window: Window, span: Span | None) -> Feature:
        start, end = _tokens(window, span) or (window.null, window.null)
        return {**window.inputs, "start_positions": start, "end_positions": end}

    def collate(self, features: Sequence[Feature]) -> dict[str, Any]:
        import torch

        names = [name for name in features[0] if name not in ("start_positions", "end_positions")]
        fillers = {"input_ids": self.backend.tokenizer.pad_token_id or 0}
        inputs = {name: padded([row[name] for row in features], fillers.get(name, 0)) for name in names}
        labels = {name: torch.tensor([row[name] for row in features]) for name in ("start_positions", "end_positions")}
        return {**inputs, **labels}


def _answer(sample: Sample, context: str) -> Span | None:
    """Return where the first reference stands in the context, None for a question without an answer.

    Raises:
        ValueError: it stands nowhere in it.
    """
    if not sample.references:
        return None
    answer = str(sample.references[0])
    starts = sample.row.get("answer_starts")
    start = starts[0] if isinstance(starts, list) and starts and isinstance(starts[0], int) else -1
    if start < 0 or context[start : start + len(answer)] != answer:
        start = context.find(answer)
    if start < 0:
        raise ValueError("the answer does not stand in the context, word for word")
    return start, start + len(answer)


def _tokens(window: Window, span: Span | None) -> Span | None:
    """Return the first and last token of a span, None where the window does not hold all of it."""
    if span is None:
        return None
    tokens = [
        index
        for index, (start, end) in enumerate(window.offsets)
        if window.inside[index] and end > span[0] and start < span[1]
    ]
    if not tokens or window.offsets[tokens[0]][0] > span[0] or window.offsets[tokens[-1]][1] < span[1]:
        return None
    return tokens[0], tokens[-1]
