"""What is shown is what equation 1 of Vaswani et al. 2017 gives for the model's own projections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from nlptasks.errors import UnsupportedError, UsageError
from nlptasks.explain.attention import Layer, Part, Vectors
from nlptasks.explain.steps import steps
from tests.explain.conftest import Look, Opened

TEXT = "今天天气很好, and the weather is fine."


class Inputs:
    """Keeps what every call of a module was given."""

    def __init__(self, module: Any) -> None:
        self.calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        self._hook = module.register_forward_pre_hook(self._keep, with_kwargs=True)

    def _keep(self, module: Any, args: Any, kwargs: Any) -> None:
        self.calls.append((args, kwargs))

    def one(self, name: str = "hidden_states", position: int = 0) -> Any:
        """Return one argument of the only call, given by name or position, and stop keeping."""
        self._hook.remove()
        [(args, kwargs)] = self.calls
        return kwargs[name] if name in kwargs else args[position]


def heads(flat: torch.Tensor, count: int) -> torch.Tensor:
    """Turn tokens by (heads times dimensions) into heads by tokens by dimensions."""
    return flat.view(flat.shape[-2], count, -1).transpose(0, 1)


def equation(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, causal: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Return softmax(Q K^T / sqrt(d_k)) and that times V, as the paper writes it."""
    scores = torch.einsum("hqd,hkd->hqk", q, k) / np.sqrt(q.shape[-1])
    if causal:
        scores = scores.masked_fill(torch.ones_like(scores).triu(1).bool(), -torch.inf)
    weights = torch.exp(scores - scores.amax(-1, keepdim=True))
    weights = weights / weights.sum(-1, keepdim=True)
    return weights, torch.einsum("hqk,hkd->hqd", weights, v)


def rotated(x: torch.Tensor, base: float) -> torch.Tensor:
    """Turn each pair of dimensions by an angle that grows with the position (Su et al. 2021, RoFormer)."""
    half = x.shape[-1] // 2
    angles = torch.outer(torch.arange(x.shape[-2]).float(), base ** (-torch.arange(half).float() / half))
    first, second = x[..., :half], x[..., half:]
    turned = (first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin())
    return torch.cat(turned, -1)


def check(layer: Layer, vectors: Sequence[torch.Tensor], causal: bool) -> None:
    """Hold what is shown of a layer against queries, keys and values that the test projected itself."""
    q, k, v = vectors
    assert layer.vectors is not None
    weights, sums = equation(q, k, v, causal)
    shown = layer.vectors
    for found, expected in [(shown.queries, q), (shown.keys, k), (shown.values, v), (shown.sums, sums)]:
        assert_allclose(found, expected, atol=1e-5)
    assert_allclose(layer.weights, weights, atol=1e-5)


@pytest.mark.parametrize("number", [0, 1])
@torch.inference_mode()
def test_gpt2(opened: Opened, look: Look, number: int) -> None:
    model = opened("gpt2").model
    module = model.transformer.h[number].attn
    given = Inputs(module)
    [part] = look("gpt2", TEXT).parts
    vectors = [heads(one, 4) for one in module.c_attn(given.one())[0].split(32, dim=-1)]
    check(part.layers[number], vectors, causal=True)


@pytest.mark.parametrize("number", [0, 1])
@torch.inference_mode()
def test_llama_with_its_rotary_positions_and_shared_keys(opened: Opened, look: Look, number: int) -> None:
    backend = opened("llama")
    module = backend.model.model.layers[number].self_attn
    given = Inputs(module)
    [part] = look("llama", TEXT).parts
    hidden = given.one()[0]
    base = backend.config.rope_parameters["rope_theta"]
    q = rotated(heads(module.q_proj(hidden), 4), base)
    k, v = rotated(heads(module.k_proj(hidden), 2), base), heads(module.v_proj(hidden), 2)
    check(part.layers[number], (q, k.repeat_interleave(2, 0), v.repeat_interleave(2, 0)), causal=True)


@pytest.mark.parametrize("number", [0, 1])
@torch.inference_mode()
def test_marian_from_what_is_written_to_the_source(opened: Opened, look: Look, number: int) -> None:
    module = opened("marian").model.model.decoder.layers[number].encoder_attn
    given = Inputs(module)
    cross = look("marian", "The weather is fine today.", target="Das Wetter ist heute schön.").parts[0]
    written, source = given.one()[0], given.one("key_value_states", 1)[0]
    q = heads(module.q_proj(written), 4)
    k, v = (heads(project(source), 4) for project in (module.k_proj, module.v_proj))
    assert cross.name == "cross"
    check(cross.layers[number], (q, k, v), causal=False)


@torch.inference_mode()
def test_bert(opened: Opened, look: Look) -> None:
    module = opened("bert-qa").model.bert.encoder.layer[1].attention.self
    given = Inputs(module)
    [part] = look("bert-qa", "The weather is fine.", question="How is the weather?").parts
    hidden = given.one()[0]
    vectors = [heads(project(hidden), 4) for project in (module.query, module.key, module.value)]
    check(part.layers[1], vectors, causal=False)


@pytest.mark.parametrize("family", ["gpt2", "llama", "qwen3", "marian", "t5", "nllb"])
def test_every_step_follows_from_the_one_before(look: Look, family: str) -> None:
    more = {"source_lang": "en", "target_lang": "de"} if family == "nllb" else {}
    target = {"target": "Das Wetter ist schön."} if family in ("marian", "t5", "nllb") else {}
    for part in look(family, "The weather is fine.", **more, **target).parts:
        for position in range(len(part.queries)):
            one = steps(part, layer=1, head=2, position=position)
            assert one.exact
            scores = one.keys @ one.query * one.scale + one.bias
            assert_allclose(one.scores, scores, atol=1e-5)
            assert_allclose(one.weights, np.exp(scores) / np.exp(scores).sum(), atol=1e-5)
            assert_allclose(one.sum, one.weights @ one.values, atol=1e-5)
            assert one.weights.sum() == pytest.approx(1, abs=1e-5)


def test_only_what_comes_later_is_hidden(look: Look) -> None:
    [part] = look("gpt2", TEXT).parts
    last = len(part.keys) - 1
    assert [steps(part, 0, 0, position).visible for position in (0, 2, last)] == [[0], [0, 1, 2], [*range(last + 1)]]


def test_the_distance_that_t5_adds_is_shown_apart(look: Look) -> None:
    encoder = look("t5", "The weather is fine.", target="x").parts[1]
    one = steps(encoder, 0, 0, 1)
    assert one.scale == 1
    assert np.abs(one.bias).max() > 0.01
    assert_allclose(one.scores, one.products + one.bias, atol=1e-6)


def test_a_head_that_leaves_the_equation_says_so(look: Look) -> None:
    [part] = look("gpt2", TEXT).parts
    [layer] = part.layers[:1]
    assert layer.vectors is not None
    capped = Vectors(**{**vars(layer.vectors), "queries": 40 * layer.vectors.queries})
    changed = Part(part.name, part.says, part.queries, part.keys, (Layer(layer.weights, capped),))
    assert steps(part, 0, 0, 3).exact
    assert not steps(changed, 0, 0, 3).exact


def test_a_position_that_is_not_there(look: Look) -> None:
    [part] = look("gpt2", "今天天气很好").parts
    with pytest.raises(UsageError, match=r"no position 7: the tokens have 0 to 0\."):
        steps(part, 0, 0, 7)


def test_without_vectors_there_are_no_steps(look: Look) -> None:
    [part] = look("gpt2", TEXT).parts
    bare = Part(part.name, part.says, part.queries, part.keys, (Layer(part.layers[0].weights, None),))
    with pytest.raises(UnsupportedError, match="drop --position"):
        steps(bare, 0, 0, 1)
