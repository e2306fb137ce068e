"""Matrices of eight-bit integers, in real models of the families."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from nlptasks.backends.hf import Options, loading
from nlptasks.backends.hf.int8 import Int8Linear
from nlptasks.backends.hf.layers import FEWEST
from nlptasks.errors import ConfigError
from tests.backends.hf.conftest import Open, ask, completion


@pytest.mark.parametrize("shape", [(1, 96), (5, 96), (2, 3, 96), (0, 96)])
@pytest.mark.parametrize("bias", [True, False])
def test_a_layer_is_near_the_whole_one(shape: tuple[int, ...], bias: bool) -> None:
    with torch.random.fork_rng([]), torch.inference_mode():
        torch.manual_seed(0)
        layer, inputs = nn.Linear(96, 40, bias), torch.randn(shape) * 10
        packed = Int8Linear(layer.weight, layer.bias)
        expected, found = layer(inputs), packed(inputs)
        assert (packed.in_features, packed.out_features, packed.weight.dtype) == (96, 40, torch.int8)
        assert found.shape == expected.shape
        # Rounding adds to each product at most half a step of either number: sizes of 10 and 0.1, 96 products.
        torch.testing.assert_close(found, expected, rtol=0, atol=0.25)
        assert not inputs.numel() or not torch.equal(found, expected)
        assert packed(inputs.bfloat16()).dtype == torch.bfloat16


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    with torch.random.fork_rng([]), torch.inference_mode():
        torch.manual_seed(0)
        packed, inputs = Int8Linear(nn.Linear(96, 40).weight, None), torch.randn(7, 96)
        inputs[3] *= 1000
        assert torch.equal(packed(inputs)[2], packed(inputs[2:3])[0])


def test_nothing_stays_nothing() -> None:
    packed = Int8Linear(nn.Linear(8, 16).weight, None)
    assert torch.equal(packed(torch.zeros(1, 8)), torch.zeros(1, 16))


@pytest.mark.parametrize("family", ["llama", "qwen3", "gpt2", "marian", "t5", "nllb", "bert-qa"])
def test_all_matrices_of_a_model_are_replaced(hf: Open, family: str) -> None:
    whole, packed = hf(family), hf(family, dtype="int8")
    layers = [module for module in packed.model.modules() if isinstance(module, nn.Linear | Int8Linear)]
    assert sum(isinstance(layer, Int8Linear) for layer in layers) >= 8
    assert all(isinstance(layer, Int8Linear) or layer.out_features < FEWEST for layer in layers)
    assert packed.identity() == {**whole.identity(), "dtype": "int8"}
    ids = torch.arange(24)[None] * 7 % whole.config.vocab_size
    inputs = {"input_ids": ids, **({"decoder_input_ids": ids} if whole.config.is_encoder_decoder else {})}
    with torch.inference_mode():
        expected, found = (_scores(backend.model(**inputs)) for backend in (whole, packed))
    error = (found - expected).norm() / (expected - expected.mean()).norm()
    assert 0 < error < 0.1


def _scores(output: Any) -> torch.Tensor:
    return torch.stack([output.start_logits, output.end_logits]) if "start_logits" in output else output.logits


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_our_own_decoding_writes_what_generate_does(hf: Open, family: str) -> None:
    backend = hf(family, dtype="int8")
    assert backend.decodes
    requests = [ask("Hello " * count, max_new_tokens=12) for count in (1, 5, 30)]
    beams = [ask("Hello " * count, max_new_tokens=12, extra={"repetition_penalty": 1.0000001}) for count in (1, 5, 30)]
    answers = backend.complete([*requests, *beams])
    assert [answer.text for answer in answers[:3]] == [answer.text for answer in answers[3:]]


def test_answers_keep_to_a_schema(hf: Open) -> None:
    request = replace(ask("Hello", max_new_tokens=24), schema={"type": "integer", "minimum": 3, "maximum": 3})
    assert completion(hf("llama", dtype="int8"), request).text == "3"


def test_another_device_is_told_what_to_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "resolve_device", lambda _: "cuda:0")
    with pytest.raises(ConfigError, match="int8 is for a CPU, not for cuda:0: use --dtype bfloat16"):
        loading.resolve_dtype(Options(dtype="int8"), None)
