"""Our own search of encoder-decoder models finds what ``generate`` finds, with fewer rows as sentences are done."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch

from nlptasks.backends.hf.batching import pad
from nlptasks.backends.hf.decoding.search import finds, search, suits
from nlptasks.records import Completion
from tests.backends.hf.conftest import Open, ask, loaded

FAMILIES = ("marian", "t5", "nllb")
SETTINGS: dict[str, dict[str, Any]] = {
    "greedy": {"num_beams": 1},
    "two beams": {"num_beams": 2},
    "all answers": {"num_beams": 4, "num_return_sequences": 4},
    "long answers": {"num_beams": 3, "length_penalty": 2.0},
    "short answers": {"num_beams": 3, "length_penalty": -1.0},
    "no length": {"num_beams": 3, "length_penalty": 0.0, "early_stopping": "never"},
    "first found": {"num_beams": 3, "early_stopping": True},
    "never early": {"num_beams": 2, "early_stopping": "never"},
    "no repetition": {"num_beams": 2, "no_repeat_ngram_size": 2},
    "a minimum": {"num_beams": 2, "min_new_tokens": 9},
    "two ends": {"num_beams": 2, "eos_token_id": [0, 1, 2, 9]},
    "banned": {"num_beams": 2, "bad_words_ids": [[7], [8], [9]]},
    "banned in a row": {"num_beams": 2, "bad_words_ids": [[7], [8, 9]]},
}


def inputs(backend: Any, count: int = 7) -> dict[str, Any]:
    chance, size = random.Random(0), backend.config.vocab_size
    rows = [[chance.randrange(4, size) for _ in range(chance.randint(1, 20))] for _ in range(count)]
    return pad(rows, backend.filler, left=False, device=backend.model.device)


def restless(backend: Any, ends: float) -> Any:
    """The model, made to heed source and newest token, so that no two answers are alike; it ends by ``ends``."""
    model = loaded(backend)
    torch.manual_seed(0)
    for name, weights in model.named_parameters():
        if "encoder_attn" in name or "EncDecAttention" in name:
            weights.data *= 4
    size = backend.config.vocab_size
    liking = torch.randn(size, size)
    liking[:, model.generation_config.eos_token_id] += ends

    def drive(_: Any, __: Any, given: dict[str, Any], output: Any) -> None:
        output.logits /= output.logits.std(-1, keepdim=True)
        output.logits[:, -1] += liking[given["decoder_input_ids"][:, -1]]

    model.register_forward_hook(drive, with_kwargs=True)
    return model


def rows(found: Any, end: Any) -> list[list[int]]:
    """The tokens of each row up to its end."""
    ends = end if isinstance(end, list) else [end]
    return [row[: next((at + 1 for at, one in enumerate(row) if at and one in ends), None)] for row in found.tolist()]


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("family", FAMILIES)
def test_each_setting_finds_what_generate_finds(hf: Open, family: str, settings: dict[str, Any]) -> None:
    backend = hf(family)
    lengths = set()
    for ends in (3.0, 4.0, 5.0):
        model = restless(backend, ends)
        asked = {**inputs(backend), "max_new_tokens": 24, "do_sample": False, **settings}
        with torch.inference_mode():
            ours, theirs = model.generate(**asked, custom_generate=search), model.generate(**asked)
        end = settings.get("eos_token_id", model.generation_config.eos_token_id)
        assert rows(ours, end) == rows(theirs, end)
        lengths |= {len(row) for row in rows(ours, end)}
    assert len(lengths) > 2  # sentences left one after another


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_is_searched_so(hf: Open, family: str) -> None:
    assert hf(family).searches


def test_a_sentence_leaves_when_it_is_done(hf: Open) -> None:
    backend, asked = hf("marian"), []
    model = restless(backend, 3.5)
    model.register_forward_pre_hook(
        lambda _, __, given: asked.append(len(given["decoder_input_ids"])), with_kwargs=True
    )
    model.generate(**inputs(backend), max_new_tokens=24, num_beams=2, do_sample=False, custom_generate=search)
    assert asked[:2] == [7, 14]  # sentences first, their beams from the second token on
    assert asked[1:] == sorted(asked[1:], reverse=True)
    assert len(set(asked)) > 3


def test_what_it_does_not_do_is_left_to_transformers() -> None:
    from transformers import GenerationConfig

    assert finds(GenerationConfig(num_beams=3))
    assert not finds(GenerationConfig(do_sample=True))
    assert not finds(GenerationConfig(prompt_lookup_num_tokens=3))
    assert not finds(GenerationConfig(num_beams=2, cache_implementation="static"))
    assert not finds(GenerationConfig(use_cache=False))


def test_a_model_that_it_does_not_suit_is_left_to_transformers(hf: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = hf("marian")
    expected = backend.complete([ask("x", task="translation", fields={"text": "eins zwei"})])
    monkeypatch.setattr("nlptasks.backends.hf.decoding.branches.Past.attend", lambda *_: 1 / 0)
    assert not suits(backend.model)
    monkeypatch.setitem(backend.__dict__, "searches", False)
    [answer] = backend.complete([ask("x", task="translation", fields={"text": "eins zwei"})])
    assert isinstance(answer, Completion)
    assert answer.text == expected[0].text
