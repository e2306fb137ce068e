"""Texts to vectors, by a Hugging Face encoder; the layout of sentence-transformers is understood."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nlptasks.backends.hf import Options
from nlptasks.backends.hf.batching import batches, pad
from nlptasks.backends.hf.fingerprint import fingerprint
from nlptasks.backends.hf.loading import (
    Source,
    load_tokenizer,
    loading,
    read_config,
    resolve_device,
    resolve_dtype,
)
from nlptasks.backends.hf.quiet import quiet
from nlptasks.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

Vectors = np.ndarray[tuple[int, int], np.dtype[np.float64]]
LONGEST = 1 << 20  # a tokenizer that knows no limit says 10 to the power of 30
POOLINGS = ("cls", "mean", "lasttoken")
OLD_NAMES = {"cls_token": "cls", "mean_tokens": "mean", "lasttoken": "lasttoken"}


@dataclass(frozen=True)
class Layout:
    """What the files of sentence-transformers say, where there are any.

    ``folder`` holds the transformer inside the encoder's own, ``longest`` is the most tokens to read, None for what
    the model can.
    """

    pooling: str = "mean"
    folder: str = ""
    longest: int | None = None


@dataclass(frozen=True)
class Row:
    """A text as the model reads it."""

    index: int
    ids: Sequence[int]
    group: int = 0

    @property
    def size(self) -> int:
        return len(self.ids)


@lru_cache(maxsize=1)
def load(name: str, device: str) -> Encoder:
    """Return the encoder ``name``: a folder, or ``hf/`` and a folder or hub id. Loads no weights, downloads nothing.

    Raises:
        ModelError: there is no such encoder here.
    """
    model = name if Path(name).expanduser().is_dir() else name.removeprefix("hf/")
    source = Source(model, Options(device=device, offline=True))
    if source.folder is None:
        _check_downloaded(source)
    layout = read_layout(source)
    return Encoder(Source(str(source.folder / layout.folder), source.options) if source.folder else source, layout)


@dataclass(frozen=True)
class Encoder:
    """A model that gives every token a vector, and a way to make one of them."""

    source: Source
    layout: Layout

    @property
    def identity(self) -> str:
        """The encoder's name with a hash of a folder's weights, or a hub model's commit."""
        folder = self.source.folder
        return f"{folder.name}@{fingerprint(folder)}" if folder else f"{self.source.model}@{self.source.commit}"

    @cached_property
    def config(self) -> Any:
        config = read_config(self.source)
        if config.is_encoder_decoder:
            raise ModelError(f"{self.source.model!r} has an encoder and a decoder: choose a model with one of them.")
        return config

    @cached_property
    def tokenizer(self) -> Any:
        return load_tokenizer(self.source)

    @cached_property
    def model(self) -> Any:
        """The model, without a head. BERT's own pooler is no part of it: many encoders were saved without."""
        with loading(self.source):
            from transformers import AutoModel

            model, report = AutoModel.from_pretrained(
                self.source.name,
                config=self.config,
                dtype=resolve_dtype(self.source.options, self.config),
                device_map={"": resolve_device(self.source.options)},
                use_safetensors=True,
                output_loading_info=True,
                **self.source.arguments,
            )
            if missing := sorted(key for key in report["missing_keys"] if "pooler" not in key):
                raise ModelError(f"{self.source.model!r} lacks weights ({missing[0]} ...): choose another encoder.")
        return model.eval()

    def encode(self, texts: Sequence[str], batch_tokens: int) -> Vectors:
        """Return a vector of length 1 for every text, of length 0 for a text without any words."""
        import torch

        vectors = np.zeros((len(texts), self.config.get_text_config().hidden_size))
        with quiet(), torch.inference_mode():
            for batch in batches(self._rows(texts), batch_tokens):
                inputs = pad([row.ids for row in batch], self._filler, left=False, device=self.model.device)
                pooled = self._pool(self.model(**inputs).last_hidden_state.float(), inputs["attention_mask"])
                vectors[[row.index for row in batch]] = pooled.cpu().numpy()
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        np.divide(vectors, lengths, out=vectors, where=lengths > 0)
        return vectors

    def _rows(self, texts: Sequence[str]) -> Iterator[Row]:
        filled = [index for index, text in enumerate(texts) if text.strip()]
        if filled:
            readable = [texts[index].encode("utf-8", "replace").decode() for index in filled]
            ids = self.tokenizer(readable, truncation=True, max_length=self._longest)["input_ids"]
            yield from (row for row in map(Row, filled, ids) if row.ids)

    def _pool(self, hidden: Tensor, mask: Tensor) -> Tensor:
        if self.layout.pooling == "cls":
            return hidden[:, 0]
        if self.layout.pooling == "lasttoken":
            return hidden[range(len(hidden)), mask.sum(1) - 1]
        weights = mask[:, :, None].to(hidden.dtype)
        return (hidden * weights).sum(1) / weights.sum(1)

    @property
    def _filler(self) -> int:
        pad_id = self.tokenizer.pad_token_id
        return 0 if pad_id is None else int(pad_id)  # masked out, so any will do

    @property
    def _longest(self) -> int:
        positions = getattr(self.config.get_text_config(), "max_position_embeddings", None)
        known = (self.layout.longest, self.tokenizer.model_max_length, positions, LONGEST)
        return min(size for size in known if size and size > 0)


def read_layout(source: Source) -> Layout:
    """Return what ``modules.json`` and the files it names say.

    Raises:
        ModelError: they ask for what is not done here.
    """
    modules = _read(source, "modules.json")
    layout = Layout()
    for module in modules or ():
        kind, path = module["type"].rpartition(".")[2], module["path"]
        if kind == "Transformer":
            longest = (_read(source, f"{path}/sentence_bert_config.json".lstrip("/")) or {}).get("max_seq_length")
            layout = replace(layout, folder=path, longest=longest)
        elif kind == "Pooling":
            layout = replace(layout, pooling=_pooling(source, _read(source, f"{path}/config.json") or {}))
        elif kind != "Normalize":  # every vector is normalised here
            raise ModelError(f"{source.model!r} has a layer {kind}, which is not supported: choose another encoder.")
    if layout.folder and source.folder is None:
        raise ModelError(f"{source.model!r} keeps its model in {layout.folder!r}: download it and name the folder.")
    return layout


def _pooling(source: Source, config: dict[str, Any]) -> str:
    old = [name.removeprefix("pooling_mode_") for name, on in config.items() if on and name.startswith("pooling_mode_")]
    pooling = config.get("pooling_mode") or "+".join(OLD_NAMES.get(name, name) for name in old) or "mean"
    if pooling not in POOLINGS:
        able = ", ".join(POOLINGS)
        raise ModelError(
            f"{source.model!r} pools by {pooling}, which is not supported ({able}): choose another encoder."
        )
    return str(pooling)


def _read(source: Source, name: str) -> Any:
    """Return a JSON file of the encoder, None if it has none."""
    with loading(source):
        from transformers.utils import cached_file

        path = cached_file(source.name, name, _raise_exceptions_for_missing_entries=False, **source.arguments)
    try:
        return json.loads(Path(path).read_text("utf-8")) if path else None
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{source.model!r}: {name} is no JSON ({error}): choose another encoder.") from None


def _check_downloaded(source: Source) -> None:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(source.model, "config.json")
    except HFValidationError:
        found = None
    if not isinstance(found, str):
        raise ModelError(
            f"No encoder {source.model!r} here, and metrics download nothing: give its folder, "
            "or fetch it once with `hf download`."
        )
