"""How many tokens a batch may hold comes from the model's keys and values and from the memory that is free."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from nlptasks.backends.hf import memory
from tests.backends.hf.conftest import Open, ask


@pytest.mark.parametrize("family", ["llama", "qwen3", "gpt2", "marian", "t5", "nllb", "llava"])
def test_the_bytes_of_a_token_are_those_that_the_model_keeps(hf: Open, family: str) -> None:
    model = hf(family).model
    ids = torch.ones(1, 3, dtype=torch.long)
    given = {"decoder_input_ids": ids} if model.config.is_encoder_decoder else {}
    with torch.inference_mode():
        kept = model(input_ids=ids, use_cache=True, **given).past_key_values
    kept = getattr(kept, "self_attention_cache", kept)
    size = sum(part.nbytes for layer in kept.layers for part in (layer.keys, layer.values))
    assert memory.token_bytes(model) == size / 3


def test_a_batch_takes_a_share_of_what_is_free(hf: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    model = hf("llama").model
    each = memory.SHARE * memory.token_bytes(model)
    found = {}
    for free in (0, 5000 * each, 8192 * each, 10**15):
        monkeypatch.setattr(memory, "free_bytes", lambda _, free=free: free)
        found[free // each] = memory.room(model)
    assert list(found.values()) == [memory.FEWEST, 4096, 8192, memory.ENOUGH["cpu"]]


def test_free_memory_is_what_a_container_leaves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import psutil

    cpu, limit = torch.device("cpu"), tmp_path / "memory.max"
    monkeypatch.setattr(memory, "LIMIT", limit)
    free = memory.free_bytes(cpu)
    assert 0 < free <= psutil.virtual_memory().total
    for text, low, high in (("max", free / 2, free * 2), ("1000", 0, 0), (str(2**60), free / 2, free * 2)):
        limit.write_text(text + "\n")
        assert low <= memory.free_bytes(cpu) <= high
    used = psutil.Process().memory_info().rss
    limit.write_text(str(used + 2**28))
    assert memory.free_bytes(cpu) < 2**29


def test_what_is_asked_for_is_kept_to(hf: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def unasked(_: Any) -> int:
        raise AssertionError

    monkeypatch.setattr("nlptasks.backends.hf.generation.room", unasked)
    backend = hf("llama", max_batch_tokens=99)
    assert backend.batch_tokens == 99
    assert backend.complete([ask("Hi", max_new_tokens=2)])
