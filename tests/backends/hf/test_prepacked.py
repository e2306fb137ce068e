"""Matrices in the blocks that a CPU multiplies by, in real models of the families."""

from __future__ import annotations

import copy
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from nlptasks.backends.hf import Options, load
from nlptasks.backends.hf.layers import FEWEST, replace
from nlptasks.backends.hf.prepacked import PrepackedLinear, prepack
from tests.backends.hf.conftest import Open, ask, completion, loaded
from tests.conftest import Tiny

FAMILIES = ["llama", "qwen3", "gpt2", "marian", "t5", "nllb", "bert-qa"]

pytestmark = pytest.mark.skipif(
    not torch.backends.cpu.get_cpu_capability().startswith("AVX"),
    reason="matrices are prepacked on x86 CPUs",
)


def a_layer(bias: bool = True) -> tuple[nn.Linear, PrepackedLinear]:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        layer = nn.Linear(96, 40, bias)
    return layer, PrepackedLinear(layer)


@pytest.mark.parametrize("shape", [(96,), (1, 96), (5, 96), (2, 3, 96), (0, 96), (300, 96)])
@pytest.mark.parametrize("bias", [True, False])
@torch.inference_mode()
def test_a_layer_computes_the_same(shape: tuple[int, ...], bias: bool) -> None:
    layer, packed = a_layer(bias)
    inputs = (torch.arange(torch.Size(shape).numel()) % 7 - 3.0).view(shape)
    torch.testing.assert_close(packed(inputs), layer(inputs), rtol=1e-5, atol=1e-5)
    turned = inputs.expand(3, *shape).transpose(0, -2) if len(shape) > 1 else inputs
    torch.testing.assert_close(packed(turned), layer(turned), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_all_matrices_of_a_model_are_prepacked(tiny: Tiny, family: str) -> None:
    with load(str(tiny(family)), Options()) as backend, torch.inference_mode():
        model, whole = backend.model, loaded(backend)  # type: ignore[attr-defined]
        plain = [layer for layer in model.modules() if isinstance(layer, nn.Linear | Conv1D)]
        assert all(getattr(layer, "out_features", FEWEST) < FEWEST for layer in plain)
        assert sum(isinstance(layer, PrepackedLinear) for layer in model.modules()) >= 8
        ids = torch.arange(24)[None] * 7 % whole.config.vocab_size
        inputs = {"input_ids": ids, **({"decoder_input_ids": ids} if whole.config.is_encoder_decoder else {})}
        torch.testing.assert_close(scores(model(**inputs)), scores(whole(**inputs)), rtol=1e-4, atol=1e-4)


def scores(output: Any) -> torch.Tensor:
    found: torch.Tensor = output.logits if "logits" in output else output.start_logits
    return found


def test_bfloat16_is_prepacked_where_the_processor_has_it(tiny: Tiny) -> None:
    with load(str(tiny("llama")), Options(dtype="bfloat16")) as backend:
        prepacked = [layer for layer in backend.model.modules() if isinstance(layer, PrepackedLinear)]  # type: ignore[attr-defined]
        assert bool(prepacked) == torch.ops.mkldnn._is_mkldnn_bf16_supported()
        assert completion(backend, ask("你好", max_new_tokens=4)).usage.completion_tokens > 0


def test_another_format_stays_as_it_is() -> None:
    model = nn.Sequential(nn.Linear(32, 32, dtype=torch.float64))
    prepack(model)
    assert type(model[0]) is nn.Linear


def test_a_layer_in_two_places_stays_one() -> None:
    layer = nn.Linear(32, 32)
    model = nn.ModuleList([nn.Sequential(layer), nn.Sequential(layer)])
    prepack(model)
    assert isinstance(model[0][0], PrepackedLinear)  # type: ignore[index]
    assert model[0][0] is model[1][0]  # type: ignore[index]


def test_a_layer_is_let_go_of_before_the_next() -> None:
    model = nn.Sequential(*(nn.Linear(32, 32) for _ in range(5)))
    alive = weakref.WeakSet(model)
    left = []

    def substitute(layer: nn.Module) -> nn.Module:
        left.append(len(alive))
        return nn.Identity()

    replace(model, substitute)
    assert left == [5, 4, 3, 2, 1]


def test_who_asks_for_the_matrix_gets_it() -> None:
    layer, packed = a_layer()
    with torch.inference_mode():
        before = packed(torch.ones(2, 96))
        assert torch.equal(packed.weight, layer.weight)
        torch.testing.assert_close(packed(torch.ones(2, 96)), before)


def test_a_gradient_passes() -> None:
    layer, packed = a_layer()
    found = []
    for one in (layer, packed):
        inputs = torch.ones(2, 96, requires_grad=True)
        one(inputs).square().sum().backward()
        found.append(inputs.grad)
    torch.testing.assert_close(found[0], found[1])


def test_a_copy_is_one() -> None:
    layer, packed = a_layer()
    with torch.inference_mode():
        torch.testing.assert_close(copy.deepcopy(packed)(torch.ones(96)), layer(torch.ones(96)))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_that_answers_can_be_saved(tiny: Tiny, tmp_path: Path, family: str) -> None:
    with load(str(tiny(family)), Options()) as backend:
        backend.model.save_pretrained(tmp_path)  # type: ignore[attr-defined]
        saved = type(backend.model).from_pretrained(tmp_path).state_dict()  # type: ignore[attr-defined]
        for name, weight in loaded(backend).state_dict().items():
            assert torch.equal(weight, saved[name]), name


def test_a_model_that_reads_its_matrices_answers_as_ever(hf: Open, tiny: Tiny, tmp_path: Path) -> None:
    from transformers import AutoTokenizer, MambaConfig, MambaForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(tiny("llama"))
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = MambaForCausalLM(
            MambaConfig(vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, initializer_range=1.0)
        ).eval()
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    backend, request = hf(tmp_path), ask("Wie geht es dir?", max_new_tokens=8)
    found = completion(backend, request)
    ids = torch.tensor([backend.tokens(request)])
    end = tokenizer.eos_token_id
    with torch.inference_mode():
        written = model.generate(ids, max_new_tokens=8, do_sample=False, eos_token_id=end)[0, ids.shape[1] :]
    assert found.text == tokenizer.decode(written, skip_special_tokens=True)
