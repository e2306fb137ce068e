"""Sentence selection: a summary is made of the sentences that score best. See ``selector.py`` for the model."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from nlptasks.backends.base import Answer, Limits, warn_once
from nlptasks.backends.hf.backend import HFBackend, answer_each, refuse
from nlptasks.backends.hf.batching import READ_AT_ONCE, batches
from nlptasks.backends.hf.quiet import quiet
from nlptasks.records import Completion, GenerationConfig, Request, Usage
from nlptasks.selection import Document, Shape, summarize

LONGEST = 64
"""Tokens of a sentence that are read."""


@dataclass(frozen=True)
class Line:
    """One sentence as the encoder reads it, and where it stands in the document."""

    place: int
    ids: Sequence[int]
    group: None = None

    @property
    def size(self) -> int:
        return len(self.ids)


class SelectionBackend(HFBackend):
    """An encoder with a head that scores sentences."""

    auto_class = "AutoModel"
    mapping = "MODEL_MAPPING_NAMES"
    tasks = frozenset({"summarization"})

    def count(self, request: Request) -> int:
        if self.config.encoder is None:
            return Limits().count(request)
        with self.lock, quiet():
            return len(self.tokenizer(request.fields.get("text", ""))["input_ids"])

    def limits(self) -> Limits:
        return replace(super().limits(), context=None)  # sentences are read one by one

    @property
    def context(self) -> int | None:
        return None if self.config.encoder is None else super().context

    def complete(self, requests: Sequence[Request]) -> Sequence[Answer]:
        def prepare(position: int, request: Request) -> tuple[int, Request, Document]:
            return position, request, self.document(request)

        return answer_each(requests, prepare, lambda ready: [(at, self._answer(*rest)) for at, *rest in ready])

    def document(self, request: Request) -> Document:
        """Return what a summary may be made of. Raises SampleError where there is nothing."""
        model = repr(self.source.model)
        if request.images or request.schema is not None or request.continuation is not None:
            what = "images" if request.images else "JSON schemas" if request.schema is not None else "continuations"
            raise refuse("unsupported", f"{model} picks sentences of a text and takes no {what}: choose another model.")
        if not request.fields.get("text", "").strip():
            raise refuse("bad_request", f"{model} summarizes a text, and this one is empty.")
        return Document.read(request.fields["text"], request.fields.get("query", ""))

    def inputs(self, document: Document) -> dict[str, Any]:
        """Return what the model scores: features, and in a language that the encoder knows, embeddings."""
        import torch

        inputs = {"features": torch.from_numpy(document.features).to(self.model.device, self.model.dtype)}
        known = self.config.languages
        if self.config.encoder is not None and (not known or document.language.partition("-")[0] in known):
            inputs["embeddings"] = self._embed([document.query, *document.sentences])
            if not document.query:
                inputs["embeddings"][0] = 0
        return inputs

    def scores(self, document: Document) -> Any:
        """Return for each sentence the log-odds of its standing in a summary, as a vector of numpy."""
        import torch

        with self.lock, torch.inference_mode():
            return self.model(**self.inputs(document))["scores"].float().cpu().numpy()

    def _answer(self, request: Request, document: Document) -> Completion:
        started = time.perf_counter()
        shape = Shape.of(request.fields, request.config.max_new_tokens)
        summary = summarize(document, shape, self.scores)
        ignored = _ignored(request, document)
        if ignored:
            warn_once(f"A sentence selector writes nothing: {', '.join(ignored)} ignored.")
        usage = Usage(self.count(request))
        data = {"ignored": ignored} if ignored else {}
        return Completion(summary, usage=usage, data=data, latency=time.perf_counter() - started)

    def _embed(self, texts: Sequence[str]) -> Any:
        """Return the embeddings of texts, in their order."""
        import torch

        with self.lock, quiet(), torch.no_grad():
            longest = min(LONGEST, self.context or LONGEST)
            encoded = self.tokenizer(list(texts), truncation=True, max_length=longest)
            lines = [Line(place, ids) for place, ids in enumerate(encoded["input_ids"])]
            embeddings = torch.zeros(len(lines), self.config.encoder.hidden_size)
            embeddings = embeddings.to(self.model.device, self.model.dtype)
            for batch in batches(lines, self.options.max_batch_tokens or READ_AT_ONCE):
                places = [line.place for line in batch]
                rows = {name: [values[place] for place in places] for name, values in encoded.items()}
                inputs = self.tokenizer.pad(rows, padding_side="right", return_tensors="pt")
                embeddings[places] = self.model.embed(**inputs.to(self.model.device)).to(embeddings.dtype)
        return embeddings


def _ignored(request: Request, document: Document) -> list[str]:
    default, wanted = GenerationConfig(), request.fields.get("lang", "").partition("-")[0]
    names = ("temperature", "top_p", "num_beams", "stop", "seed", "extra")
    changed = [name for name in names if getattr(request.config, name) != getattr(default, name)]
    return sorted([*changed, "language"] if wanted and wanted != document.language else changed)
