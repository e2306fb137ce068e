"""Extractive question answering: the answer is a span of the context, found in overlapping windows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from nlptasks.backends.base import Answer, Limits, warn_once
from nlptasks.backends.hf.backend import HFBackend, answer_each, refuse
from nlptasks.backends.hf.batching import READ_AT_ONCE, batches
from nlptasks.backends.hf.loading import load_tokenizer
from nlptasks.backends.hf.quiet import quiet
from nlptasks.backends.hf.spans import Search, Span, Window, best_spans, find_spans
from nlptasks.errors import ModelError
from nlptasks.records import Completion, GenerationConfig, Request, Usage


class ExtractiveBackend(HFBackend):
    """BERT, RoBERTa, DeBERTa ... with a head that points at an answer's first and last token."""

    auto_class = "AutoModelForQuestionAnswering"
    mapping = "MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES"
    tasks = frozenset({"question-answering"})

    @cached_property
    def tokenizer(self) -> Any:
        tokenizer = load_tokenizer(self.source)
        if not tokenizer.is_fast:  # only these know which characters a token stands for
            raise ModelError(f"{self.source.model!r} has no fast tokenizer: choose a model with a tokenizer.json.")
        return tokenizer

    def count(self, request: Request) -> int:
        with self.lock, quiet():
            question, context = (request.fields.get(name, "") for name in ("question", "context"))
            return len(self.tokenizer(question, context)["input_ids"])

    def limits(self) -> Limits:
        return replace(super().limits(), context=None)  # windows read a context of any length

    def complete(self, requests: Sequence[Request]) -> Sequence[Answer]:
        return answer_each(requests, self.windows, self._run)

    def windows(self, position: int, request: Request) -> list[Window]:
        """Cut the context of one request into windows that each fit behind the question."""
        search = self._search(position, request)
        question, context = request.fields["question"], request.fields["context"]
        with self.lock, quiet():
            asked = self.tokenizer(question, add_special_tokens=False, return_offsets_mapping=True)
            longest = min(search.max_question_len, search.max_seq_len // 2)
            if len(asked["input_ids"]) > longest:
                question = question[: asked["offset_mapping"][longest - 1][1]]
            taken = min(len(asked["input_ids"]), longest)
            room = search.max_seq_len - taken - self.tokenizer.num_special_tokens_to_add(pair=True)
            if room < 1:
                raise refuse("bad_request", f"A window of max_seq_len {search.max_seq_len} tokens is too short.")
            encoded = self.tokenizer(
                question,
                context,
                truncation="only_second",
                max_length=search.max_seq_len,
                stride=max(0, min(search.doc_stride, room // 2)),
                return_overflowing_tokens=True,
                return_offsets_mapping=True,
            )
        return [self._window(search, encoded, index) for index in range(len(encoded["input_ids"]))]

    def _search(self, position: int, request: Request) -> Search:
        model = repr(self.source.model)
        if request.images or request.schema is not None or request.continuation is not None:
            what = "images" if request.images else "JSON schemas" if request.schema is not None else "continuations"
            raise refuse("unsupported", f"{model} points at spans of a text and takes no {what}: choose another model.")
        if not request.fields.get("question", "").strip() or not request.fields.get("context", "").strip():
            raise refuse("bad_request", f"{model} answers a question from a context: give it both.")
        search = Search.of(position, request)
        return replace(search, max_seq_len=min(search.max_seq_len, self.context or search.max_seq_len))

    def _window(self, search: Search, encoded: Any, index: int) -> Window:
        inputs = {name: encoded[name][index] for name in self.tokenizer.model_input_names if name in encoded}
        inside = [part == 1 for part in encoded.sequence_ids(index)]
        start, ids = self.tokenizer.cls_token_id, inputs["input_ids"]
        null = ids.index(start) if start in ids else 0
        return Window(search, inputs, encoded["offset_mapping"][index], inside, null)

    def _run(self, requests: list[list[Window]]) -> Iterator[tuple[int, Answer]]:
        started = time.perf_counter()
        found: dict[int, list[tuple[list[Span], float]]] = {}
        windows = (window for windows in requests for window in windows)
        for batch in batches(windows, self.options.max_batch_tokens or READ_AT_ONCE):
            for window, (start, end) in zip(batch, self._logits(batch), strict=True):
                found.setdefault(window.search.position, []).append(find_spans(window, start, end))
        latency = time.perf_counter() - started
        for windows_of_one in requests:
            search = windows_of_one[0].search
            usage = Usage(sum(window.size for window in windows_of_one))
            completion = _completion(search, found[search.position])
            yield search.position, replace(completion, usage=usage, latency=latency)

    def _logits(self, batch: Sequence[Window]) -> list[tuple[Any, Any]]:
        """Return the start and end scores of every window, on the CPU."""
        import torch

        with self.lock, quiet(), torch.inference_mode():
            inputs = self.tokenizer.pad([window.inputs for window in batch], padding_side="right", return_tensors="pt")
            output = self.model(**inputs.to(self.model.device))
            starts, ends = output.start_logits.float().cpu(), output.end_logits.float().cpu()
        return [(start[: w.size], end[: w.size]) for w, start, end in zip(batch, starts, ends, strict=True)]


def _completion(search: Search, windows: list[tuple[list[Span], float]]) -> Completion:
    null = min(score for _, score in windows)
    spans = best_spans(search, [span for found, _ in windows for span in found], null)
    best = spans[0] if spans else Span(0, 0, "", null)
    data: dict[str, Any] = {**best.numbers, "no_answer_score": null}
    if search.top_k > 1:
        data["alternatives"] = [span.numbers | {"answer": span.answer} for span in spans]
    if ignored := _ignored(search.request.config):
        warn_once(f"An extractive model generates nothing: {', '.join(ignored)} ignored.")
        data["ignored"] = ignored
    return Completion(best.answer, data=data)


def _ignored(config: GenerationConfig) -> list[str]:
    default = GenerationConfig()
    names = ("temperature", "top_p", "num_beams", "stop", "seed")
    return sorted(name for name in names if getattr(config, name) != getattr(default, name))
