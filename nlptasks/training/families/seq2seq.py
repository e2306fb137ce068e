"""How an encoder-decoder learns: what its backend would have it read, and the answer with its language code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nlptasks.backends.hf.backend import HFBackend
from nlptasks.backends.hf.loading import Source
from nlptasks.backends.hf.seq2seq import Seq2SeqBackend
from nlptasks.training.buckets import mask, padded
from nlptasks.training.families.base import Example, Feature
from nlptasks.training.families.generating import IGNORED, GeneratingFamily


class Seq2SeqFamily(GeneratingFamily):
    """Marian, NLLB, mBART, T5, BART, Pegasus and their relatives; all weights learn."""

    backend: Seq2SeqBackend

    @classmethod
    def open(cls, source: Source, config: Any) -> HFBackend:
        return Seq2SeqBackend(source, config)

    def features(self, example: Example) -> list[Feature]:
        if example.plain:
            raise ValueError("it has a text but no reference, and only a causal model learns from plain text")
        ids = self.backend.tokens(example.request)
        answer = self.backend.answer_tokens(example.request, example.target)
        self.check(max(len(ids), len(answer)))
        return [{"input_ids": ids, "labels": answer}]

    def sizes(self, feature: Feature) -> tuple[int, ...]:
        return len(feature["input_ids"]), len(feature["labels"])

    def collate(self, features: Sequence[Feature]) -> dict[str, Any]:
        rows, answers = [f["input_ids"] for f in features], [f["labels"] for f in features]
        start = self.backend.config.decoder_start_token_id
        # mBART of 2020 begins with what it ends with: the language's code.
        before = [[answer[-1] if start is None else start, *answer[:-1]] for answer in answers]
        return {
            "input_ids": padded(rows, self.backend.filler),
            "attention_mask": mask(rows),
            "decoder_input_ids": padded(before, self.backend.filler),
            "labels": padded(answers, IGNORED),
        }

    def loss(self, model: Any, inputs: Mapping[str, Any]) -> Any:
        given = {name: tensor for name, tensor in inputs.items() if name != "labels"}
        return self.cross_entropy(model(**given, use_cache=False).logits, inputs["labels"])
