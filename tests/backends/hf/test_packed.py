"""Weights stored as integers, through the real loading."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from nlptasks.backends.hf.packed import PACKED, pack
from tests.backends.hf.conftest import Open
from tests.conftest import Tiny


@pytest.mark.parametrize("family", ["llama", "gpt2", "t5", "marian", "bert-qa"])
def test_a_packed_model_is_small_and_near_the_whole_one(family: str, tiny: Tiny, hf: Open, tmp_path: Path) -> None:
    pack(tiny(family), tmp_path / "packed")
    assert not (tmp_path / "packed" / "model.safetensors").exists()
    stored = load_file(tmp_path / "packed" / PACKED)
    assert sum(t.nbytes for t in stored.values()) < 0.4 * (tiny(family) / "model.safetensors").stat().st_size
    whole, packed = hf(family).model.state_dict(), hf(tmp_path / "packed").model.state_dict()
    assert packed.keys() == whole.keys()
    for name, weight in whole.items():
        assert packed[name].dtype == weight.dtype
        if weight.ndim == 2:
            step = weight.abs().amax(1, keepdim=True) / 127
            assert bool(((packed[name] - weight).abs() <= step * 0.51).all()), name
        else:
            torch.testing.assert_close(packed[name], weight, rtol=1e-3, atol=1e-6)


def test_a_packed_model_has_an_identity_of_its_own(tiny: Tiny, hf: Open, tmp_path: Path) -> None:
    pack(tiny("gpt2"), tmp_path / "packed")
    assert hf(tmp_path / "packed").identity()["weights"] != hf("gpt2").identity()["weights"]
