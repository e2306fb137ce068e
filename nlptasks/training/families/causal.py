"""How a model that continues text learns: the prompt as its backend renders it, the loss on the answer alone."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from nlptasks.backends.hf.adapters import add_adapter
from nlptasks.backends.hf.backend import HFBackend
from nlptasks.backends.hf.causal import CausalBackend
from nlptasks.backends.hf.loading import Source
from nlptasks.backends.hf.quiet import quiet
from nlptasks.errors import MissingExtraError, UnsupportedError
from nlptasks.training.buckets import mask, padded
from nlptasks.training.families.base import Example, Feature
from nlptasks.training.families.generating import IGNORED, GeneratingFamily
from nlptasks.training.options import TrainingOptions

LORA_RATE = 2e-4
"""An adapter takes a higher rate than all weights (Hu et al., LoRA, 2021)."""


class CausalFamily(GeneratingFamily):
    """Llama, Qwen, GPT-2 and all others; an adapter learns, or with ``full`` all weights."""

    backend: CausalBackend

    @classmethod
    def rate(cls, options: TrainingOptions) -> float:
        return cls.learning_rate if options.full else LORA_RATE

    @classmethod
    def open(cls, source: Source, config: Any) -> HFBackend:
        return CausalBackend(source, config)

    def load(self) -> Any:
        model = super().load()
        return model if self.options.full else self._with_adapter(model)

    def _with_adapter(self, model: Any) -> Any:
        source = self.backend.source
        if source.options.adapter and not self.options.merge:
            raise UnsupportedError(
                f"An adapter cannot rest on the adapter {source.options.adapter!r}: add --merge or --full, "
                "and a whole model is written."
            )
        try:
            from peft import LoraConfig, get_peft_model
        except ImportError:
            raise MissingExtraError("Training an adapter (all weights are trained with --full)", "peft") from None
        rank = self.options.lora_rank
        settings = LoraConfig(
            task_type="CAUSAL_LM", r=rank, lora_alpha=2 * rank, lora_dropout=0.05, target_modules="all-linear"
        )
        with quiet():
            adapted = get_peft_model(model, settings)
        settings.base_model_name_or_path = str(source.folder.resolve()) if source.folder else source.model
        return adapted

    def features(self, example: Example) -> list[Feature]:
        if example.plain:
            with quiet():
                ids = [*self.backend.tokenizer(example.target)["input_ids"], self.end]
            return [{"input_ids": ids, "labels": ids}]
        prompt = self.backend.tokens(example.request)
        with quiet():
            answer = self.backend.tokenizer(example.target, add_special_tokens=False)["input_ids"]
        self.check(len(prompt) + len(answer) + 1)
        ids = [*prompt, *answer, self.end]
        return [{"input_ids": ids, "labels": [*[IGNORED] * len(prompt), *ids[len(prompt) :]]}]

    @cached_property
    def end(self) -> int:
        """The token that ends an answer: of several, the one that the template writes."""
        tokenizer = self.backend.tokenizer
        known = self.backend.config.eos_token_id
        ends = {tokenizer.eos_token_id, *(known if isinstance(known, list) else [known])} - {None}
        if self.backend.template:
            said = [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}]
            with quiet():
                ids = list(tokenizer.apply_chat_template(said)["input_ids"])
            return int(next((one for one in reversed(ids) if one in ends), tokenizer.eos_token_id))
        return int(tokenizer.eos_token_id)

    def pack(self, features: Sequence[Feature]) -> Sequence[Feature]:
        """Put plain texts one after the other, and cut that into rows of full length; leave others as they are."""
        stream, rows = array("i"), []
        for feature in features:
            if feature["labels"] == feature["input_ids"]:
                stream.extend(feature["input_ids"])
            else:
                rows.append(feature)
        # A row begins with the last token of the one before, so that every token is learnt once.
        cuts = (stream[at : at + self.longest] for at in range(0, len(stream) - 1, self.longest - 1))
        return [*rows, *({"input_ids": cut, "labels": cut} for cut in cuts)]

    def collate(self, features: Sequence[Feature]) -> dict[str, Any]:
        rows = [feature["input_ids"] for feature in features]
        labels = padded([feature["labels"] for feature in features], IGNORED)
        return {"input_ids": padded(rows, self.backend.filler), "attention_mask": mask(rows), "labels": labels}

    def loss(self, model: Any, inputs: Mapping[str, Any]) -> Any:
        given = {name: tensor for name, tensor in inputs.items() if name != "labels"}
        logits = model(**given, use_cache=False).logits
        return self.cross_entropy(logits[:, :-1], inputs["labels"][:, 1:])

    def save(self, model: Any, folder: Path) -> None:
        super().save(model, folder)
        (folder / "README.md").unlink(missing_ok=True)  # the adapter's own, empty

    def finished(self, folder: Path) -> Path:
        if self.options.full or not self.options.merge:
            return folder
        merged = folder.with_name("merged")
        self.save(add_adapter(with_adapter(self.backend.source, folder), super().load()), merged)
        return merged


def with_adapter(source: Source, folder: Path) -> Source:
    """Return a model's source with the adapter in ``folder``."""
    return replace(source, options=source.options.model_copy(update={"adapter": str(folder)}))
