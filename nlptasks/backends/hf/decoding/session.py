"""Requests into the running batch, answers out as they are done; what it cannot do goes to ``generate``."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from nlptasks.backends.base import Answer, K, Session
from nlptasks.backends.hf.backend import check_text, free_memory, out_of_memory
from nlptasks.backends.hf.batching import Prompt, batches
from nlptasks.backends.hf.decoding.decoder import Decoder, Writer
from nlptasks.backends.hf.quiet import quiet
from nlptasks.backends.hf.stopping import holds
from nlptasks.errors import SampleError
from nlptasks.records import Failure, Request

if TYPE_CHECKING:
    from nlptasks.backends.hf.causal import CausalBackend

AHEAD = 256
"""Requests that are held at once: enough to put those of like length together."""
TOO_LITTLE = Failure("out_of_memory", "Too little memory: shorten the input or lower max_new_tokens.")


class DecodingSession(Session[K]):
    """One running batch of a causal model."""

    def __init__(self, backend: CausalBackend) -> None:
        self._backend = backend
        self._decoder: Decoder | None = None
        self._writers: dict[Writer, tuple[K, Prompt]] = {}
        self._others: dict[int, tuple[K, Prompt]] = {}
        self._ready: deque[tuple[K, Answer]] = deque()
        self._numbers = count()

    @property
    def room(self) -> int:
        return max(0, AHEAD - len(self._writers) - len(self._others) - len(self._ready))

    def put(self, key: K, request: Request) -> None:
        try:
            check_text(request)
            prompt = self._backend.prompt(next(self._numbers), request)
        except SampleError as error:
            self._ready.append((key, error.failure))
            return
        if self._backend.decodes and prompt.plain:
            self._writers[self._writer(prompt)] = (key, prompt)
        else:
            self._others[prompt.position] = (key, prompt)

    def get(self) -> tuple[K, Answer]:
        while not self._ready:
            if self._writers:
                self._step()
            else:
                self._generate()
        return self._ready.popleft()

    def close(self) -> None:
        self._writers.clear()
        self._others.clear()
        self._ready.clear()
        self._decoder = None

    def _writer(self, prompt: Prompt) -> Writer:
        end = prompt.plan.settings.get("eos_token_id")
        ends = frozenset(end if isinstance(end, list) else [end])
        stops = partial(holds, self._backend.decode, prompt.plan.stop) if prompt.plan.stop else None
        writer = Writer(list(prompt.ids), prompt.plan.max_new_tokens, ends, stops)
        if self._decoder is None:
            self._decoder = Decoder(self._backend.model, self._backend.options.max_batch_tokens)
        self._decoder.add([writer])
        return writer

    def _step(self) -> None:
        import torch

        assert self._decoder is not None
        done: Sequence[Writer] = []
        try:
            with self._backend.lock, quiet(), torch.inference_mode():
                done = self._decoder.step()
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            lost = self._decoder.retreat()
            self._ready.extend((self._writers.pop(one)[0], TOO_LITTLE) for one in lost)
            free_memory()
        now = time.perf_counter()
        for one in done:
            key, prompt = self._writers.pop(one)
            [answer] = self._backend.read([prompt], [self._backend.row(one.new, prompt.plan.settings)])
            self._ready.append((key, replace(answer, latency=now - one.begun)))

    def _generate(self) -> None:
        prompts = [prompt for _, prompt in self._others.values()]
        for batch in batches(prompts, self._backend.options.max_batch_tokens):
            for prompt, answer in zip(batch, self._backend.answer(batch), strict=True):
                self._ready.append((self._others.pop(prompt.position)[0], answer))


def suits(model: Any) -> bool:
    """Return whether ``model`` computes the same for a packed batch as for its rows: asked with a few tokens."""
    import torch

    tokens = torch.arange(11, device=model.device) * 7 % model.config.get_text_config().vocab_size
    rows = [Writer(tokens[:4].tolist(), 2, frozenset()), Writer(tokens.tolist(), 2, frozenset())]
    try:
        decoder = Decoder(model, 64)
        decoder.add(rows)
        with torch.inference_mode():
            while decoder.waiting or decoder.active:
                decoder.step()
            return all(_agrees(model, row) for row in rows)
    except Exception:  # whatever a model's own code makes of it, ``generate`` remains
        return False


def _agrees(model: Any, row: Writer) -> bool:
    """Return whether what a row wrote is, near enough, what the model finds likeliest."""
    import torch

    ids = torch.tensor([[*row.ids, *row.new[:-1]]], device=model.device)
    scores = model(input_ids=ids).logits[0, -len(row.new) :].float()
    slack = 0.01 * (scores.amax(-1) - scores.amin(-1))
    chosen = scores.gather(-1, torch.tensor(row.new, device=model.device)[:, None])[:, 0]
    return bool((chosen >= scores.amax(-1) - slack).all())
