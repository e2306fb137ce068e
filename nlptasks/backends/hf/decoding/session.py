"""Requests into the running batch, answers out as they are done; what it cannot do goes to ``generate``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from nlptasks.backends.base import K
from nlptasks.backends.hf.backend import free_memory, out_of_memory
from nlptasks.backends.hf.batching import Prompt
from nlptasks.backends.hf.decoding.decoder import Decoder, Writer
from nlptasks.backends.hf.decoding.sampling import sampling
from nlptasks.backends.hf.generation import TOO_LITTLE
from nlptasks.backends.hf.quiet import quiet
from nlptasks.backends.hf.session import GeneratingSession
from nlptasks.backends.hf.stopping import holds
from nlptasks.backends.hf.streaming import Pieces

if TYPE_CHECKING:
    from nlptasks.backends.hf.causal import CausalBackend


class DecodingSession(GeneratingSession[K]):
    """One running batch of a causal model."""

    _backend: CausalBackend

    def __init__(self, backend: CausalBackend) -> None:
        super().__init__(backend)
        self._decoder: Decoder | None = None
        self._writers: dict[Writer, tuple[K, Prompt, Pieces | None]] = {}

    @property
    def room(self) -> int:
        return max(0, super().room - len(self._writers))

    def close(self) -> None:
        super().close()
        self._writers.clear()
        self._decoder = None

    def hold(self, key: K, prompt: Prompt, pieces: Pieces | None) -> None:
        if self._backend.decodes and prompt.plain:
            self._writers[self._writer(prompt)] = (key, prompt, pieces)
        else:
            super().hold(key, prompt, pieces)

    def drop(self, key: K) -> bool:
        import torch

        writer = next((writer for writer, held in self._writers.items() if held[0] == key), None)
        if writer is None or self._decoder is None:
            return super().drop(key)
        with torch.inference_mode():
            self._decoder.drop(writer)
        del self._writers[writer]
        return True

    def work(self) -> None:
        if self._writers:
            self._step()
        else:
            super().work()

    def _writer(self, prompt: Prompt) -> Writer:
        end = prompt.plan.settings.get("eos_token_id")
        ends = frozenset(end if isinstance(end, list) else [end])
        stops = partial(holds, self._backend.decode, prompt.plan.stop) if prompt.plan.stop else None
        writer = Writer(list(prompt.ids), prompt.plan.max_new_tokens, ends, stops, sampling(prompt.plan))
        if self._decoder is None:
            self._decoder = Decoder(self._backend.model, self._backend.batch_tokens)
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
        for writer, (_, _, pieces) in self._writers.items():
            if pieces:
                pieces.extend(token for token in writer.new[pieces.tokens :] if token not in writer.ends)
        now = time.perf_counter()
        for one in done:
            key, prompt, pieces = self._writers.pop(one)
            [answer] = self._backend.read([prompt], [self._backend.row(one.new, prompt.plan.settings)])
            if pieces:
                pieces.end(answer)
            self._ready.append((key, replace(answer, latency=now - one.begun)))


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
