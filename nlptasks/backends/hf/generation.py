"""What the families that write text share: one call of ``generate`` per batch, and streaming."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from nlptasks.backends.base import Answer, Preview, Session, complete_in_session, warn_once
from nlptasks.backends.hf.backend import HFBackend, check_text, free_memory, out_of_memory
from nlptasks.backends.hf.batching import Prompt
from nlptasks.backends.hf.memory import room
from nlptasks.backends.hf.plan import TEMPLATE_OPTIONS, Plan, published
from nlptasks.backends.hf.quiet import quiet
from nlptasks.backends.hf.session import GeneratingSession
from nlptasks.backends.hf.stopping import Stop
from nlptasks.backends.hf.streaming import Hooks, stream
from nlptasks.errors import SampleError, raised_by
from nlptasks.records import Completion, Delta, Failure, Request, Usage

TOO_LITTLE = Failure("out_of_memory", "Too little memory: shorten the input or lower max_new_tokens.")


@dataclass(frozen=True)
class Row:
    """The new tokens of one text, without the end token; ``ended`` says that the model wrote one."""

    ids: list[int]
    ended: bool


class GeneratingBackend(HFBackend):
    """A model that writes its answer token by token."""

    decoder_only = True

    @cached_property
    def batch_tokens(self) -> int:
        """Most tokens computed at once: what was asked for, else what memory has room for or turned out to take."""
        return self.options.max_batch_tokens or room(self.model)

    @abstractmethod
    def prompt(self, position: int, request: Request) -> Prompt:
        """Return ``request`` as tokens and a plan. Raises SampleError where that cannot be done."""

    @abstractmethod
    def tokens(self, request: Request) -> list[int]:
        """Return the tokens of ``request`` as the model reads it. Raises SampleError where that cannot be done."""

    def preview(self, request: Request) -> Preview:
        ids = self.tokens(request)
        return Preview(request, str(self.tokenizer.decode(ids)), ids)

    @abstractmethod
    def collate(self, batch: Sequence[Prompt]) -> dict[str, Any]:
        """Return the tensors of a batch, on the model's device."""

    def processors(self, batch: Sequence[Prompt], start: int) -> list[Any]:
        """Return what bends the next token's scores; answers begin at token ``start``."""
        return []

    def loop(self, config: Any) -> Any:
        """Return what takes the place of ``generate``'s own loop for a GenerationConfig, None if nothing does."""
        return None

    def prepare_model(self, model: Any) -> None:
        from transformers import GenerationConfig

        settings = published(model.generation_config.to_dict())
        settings.setdefault("eos_token_id", self.tokenizer.eos_token_id)
        settings.setdefault("pad_token_id", self.filler)
        model.generation_config = GenerationConfig(**settings)

    def ignored(self, request: Request) -> list[str]:
        """Return the names of options that this model cannot honour."""
        return sorted(TEMPLATE_OPTIONS & set(request.config.extra))

    @property
    def published(self) -> dict[str, Any]:
        """What the checkpoint says about generation, as far as it is followed.

        Lengths only for an encoder-decoder: those of a decoder count the prompt, and say nothing of the answer.
        """
        settings = published(self.model.generation_config.to_dict())
        lengths = {"max_length", "min_length"} if self.decoder_only else set()
        return {name: value for name, value in settings.items() if name not in lengths}

    @property
    def filler(self) -> int:
        """The token that pads a batch; the mask hides it, so any will do."""
        for token in (self.tokenizer.pad_token_id, self.tokenizer.eos_token_id):
            if token is not None:
                return int(token)
        return 0

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ``ids`` without special tokens."""
        text = self.tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return str(text)

    def complete(self, requests: Sequence[Request]) -> Sequence[Answer]:
        return complete_in_session(self, requests)

    def open(self) -> Session[Any]:
        return GeneratingSession(self)

    def stream(self, request: Request) -> Iterator[Delta | Answer]:
        try:
            check_text(request)
            prompt = self.prompt(0, request)
        except SampleError as error:
            yield error.failure
            return
        if prompt.target or prompt.plan.rows > 1:  # what beams write is known only at the end
            yield from super().stream(request)
        else:
            yield from self.stream_prompt(prompt)

    def stream_prompt(self, prompt: Prompt) -> Iterator[Delta | Answer]:
        """Yield the pieces of the answer to a prompt of one row, then the answer."""
        return stream(self, prompt)

    def answer(self, batch: Sequence[Prompt], hooks: Hooks | None = None) -> list[Answer]:
        """Answer one batch, half by half where memory runs out or the model fails."""
        started = time.perf_counter()
        try:
            answers = self.compute(batch, hooks or Hooks())
        except (ValueError, TypeError, NotImplementedError) as error:  # transformers refuses the settings
            return [Failure("bad_request", " ".join(str(error).split()))] * len(batch)
        except (MemoryError, RuntimeError) as error:  # what the batch held is let go only when this block is left
            little = out_of_memory(error)
            failure = TOO_LITTLE if little else Failure("backend", raised_by("The model", error))
            answers = None
        if answers is None:
            if little:
                self.batch_tokens = max(1, min(self.batch_tokens, len(batch) * batch[0].size) // 2)
            return self._halved(batch, failure)
        latency = time.perf_counter() - started
        return [replace(answer, latency=latency) for answer in answers]

    def _halved(self, batch: Sequence[Prompt], failure: Failure) -> list[Answer]:
        free_memory()
        if len(batch) == 1:
            return [failure]
        middle = len(batch) // 2
        return [*self.answer(batch[:middle]), *self.answer(batch[middle:])]

    def compute(self, batch: Sequence[Prompt], hooks: Hooks) -> list[Completion]:
        """Generate for a batch and read the answers."""
        return self.read(batch, self.generate(batch, hooks))

    def read(self, batch: Sequence[Prompt], rows: Sequence[Row]) -> list[Completion]:
        """Return the answers that are in ``rows``: ``plan.returned`` of them for each prompt, in its order."""
        each = batch[0].plan.returned
        return [self._completion(p, rows[i * each : (i + 1) * each]) for i, p in enumerate(batch)]

    def generate(self, batch: Sequence[Prompt], hooks: Hooks) -> list[Row]:
        """Return every row of a batch: ``plan.returned`` of them for each prompt, in its order."""
        import torch
        from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

        plan, model = batch[0].plan, self.model
        with self.lock, quiet(), torch.inference_mode(), seeded(plan.seed if plan.sampled else None, model.device):
            inputs = self.collate(batch)
            start = inputs["input_ids"].shape[1] if self.decoder_only else 1
            config = GenerationConfig(**plan.settings)
            output = model.generate(
                **inputs,
                generation_config=config,
                custom_generate=self.loop(config) if hooks.streamer is None else None,
                stopping_criteria=StoppingCriteriaList(self._stops(plan, start, hooks)),
                logits_processor=LogitsProcessorList(self.processors(batch, start)),
                streamer=hooks.streamer,
            )
        return [self.row(ids, plan.settings) for ids in output[:, start:].tolist()]

    def _stops(self, plan: Plan, start: int, hooks: Hooks) -> list[Stop]:
        stop = Stop(self.decode, plan.stop, start, hooks.cancelled)
        return [stop] if stop.texts or stop.cancelled else []

    def row(self, ids: list[int], settings: Any) -> Row:
        """Return what ``ids``, the new tokens of one text, come to."""
        end = settings.get("eos_token_id")
        ends = set(end if isinstance(end, list) else [end])
        length = next((at for at, token in enumerate(ids) if token in ends), None)
        if length is None:  # a row that a stop text ended is filled up to the length of its neighbours
            while ids and ids[-1] == self.model.generation_config.pad_token_id:
                ids = ids[:-1]
        # A token that is forced at the last place is no end the model chose.
        forced = settings.get("forced_eos_token_id") is not None and length == settings["max_new_tokens"] - 1
        return Row(ids[:length], ended=length is not None and not forced)

    def _completion(self, prompt: Prompt, rows: Sequence[Row]) -> Completion:
        reading, first = prompt.reading, rows[0]
        cuts = [reading.cut(self.decode(row.ids)) for row in rows]
        text, reasoning = reading.split(cuts[0][0])
        data: dict[str, Any] = {}
        if len(rows) > 1:
            data["alternatives"] = [reading.split(cut)[0] for cut, _ in cuts[1:]]
        if ignored := self.ignored(prompt.request):
            warn_once(f"{self.source.model!r} has no chat template: {', '.join(ignored)} ignored.")
            data["ignored"] = ignored
        return Completion(
            text,
            reasoning,
            "stop" if first.ended or cuts[0][1] else "length",
            Usage(len(prompt.ids), sum(len(row.ids) for row in rows)),
            data,
        )


@contextmanager
def seeded(seed: int | None, device: Any) -> Iterator[None]:
    """Draw random numbers from ``seed``, leaving the caller's random state as it was."""
    import torch

    if seed is None:
        yield
        return
    keeping = device.type in ("cuda", "xpu")  # besides the CPU's state; others cannot keep theirs
    with torch.random.fork_rng([device] if keeping else [], device_type=device.type if keeping else "cuda"):
        torch.manual_seed(seed % 2**63)
        yield
