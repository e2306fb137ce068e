from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import typing
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from nlptasks.backends.hf import Options, load
from nlptasks.backends.hf.quiet import quiet
from nlptasks.errors import ConfigError, MissingExtraError, ModelError
from tests.backends.hf.conftest import Open, ask, completion
from tests.backends.hf.test_loading import drop, edit
from tests.conftest import Tiny


def test_the_package_is_light_and_its_options_are_described() -> None:
    assert typing.get_type_hints(load)["options"] is Options
    assert all(field.description for field in Options.model_fields.values())
    code = "import sys, nlptasks.backends.hf; print({'torch', 'transformers', 'numpy'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"device": "nosuch"}, ConfigError, "--device cpu"),
        ({"device": "cuda:7"}, ConfigError, "--device cpu"),
        ({"attention": "nosuch"}, ModelError, "attention 'nosuch'"),
        ({"attention": "flash_attention_2"}, ModelError, "attention 'flash_attention_2'"),
        ({"adapter": "./nowhere"}, ModelError, "No adapter folder"),
    ],
)
def test_options_that_cannot_be(tiny: Tiny, options: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error) as raised, load(str(tiny("llama")), Options(**options)):
        pass
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_unknown_dtype_is_no_option() -> None:
    with pytest.raises(ValidationError, match="float32"):
        Options.model_validate({"dtype": "int3"})


def test_attention_and_dtype_are_used(hf: Open) -> None:
    request = ask("Hello", max_new_tokens=8)
    eager, half = hf("llama", attention="eager"), hf("llama", dtype="bfloat16")
    assert eager.model.config._attn_implementation == "eager"
    assert completion(eager, request).text == completion(hf("llama"), request).text
    assert str(half.model.dtype) == "torch.bfloat16"
    assert half.identity()["dtype"] == "bfloat16"
    assert completion(half, request).usage.completion_tokens == 8


def test_an_adapter_changes_the_answer_and_the_identity(tiny: Tiny, tmp_path: Path, hf: Open) -> None:
    peft = pytest.importorskip("peft", reason="peft is not installed")
    import torch
    from transformers import AutoModelForCausalLM

    with quiet():
        model = peft.get_peft_model(
            AutoModelForCausalLM.from_pretrained(tiny("llama")),
            peft.LoraConfig(target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM", init_lora_weights=False),
        )
    model.save_pretrained(tmp_path / "adapter")
    backend, request = hf("llama", adapter=str(tmp_path / "adapter")), ask("Hello", max_new_tokens=12)
    ids = torch.tensor([backend.tokens(request)])
    with torch.inference_mode():
        expected = model.eval()(ids).logits
        assert torch.allclose(backend.model(ids).logits, expected, atol=1e-4)
        assert not torch.allclose(hf("llama").model(ids).logits, expected, atol=1e-4)
    assert backend.identity()["adapter"] == str(tmp_path / "adapter")
    assert backend.identity()["adapter_weights"]
    by_itself = load(str(tmp_path / "adapter"), Options())
    assert by_itself.identity() == backend.identity()
    assert completion(by_itself, request).text == completion(backend, request).text
    with pytest.raises(ConfigError, match="is an adapter itself"):
        load(str(tmp_path / "adapter"), Options(adapter="another"))
    drop(tmp_path / "adapter", "adapter_model.safetensors")
    with pytest.raises(ModelError, match="safetensors"):
        load(str(tiny("llama")), Options(adapter=str(tmp_path / "adapter"))).__enter__()


@pytest.mark.parametrize("base", [None, "/no/such/folder"])
def test_an_adapter_without_its_base_model_says_so(tmp_path: Path, base: str | None) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": base}), "utf-8")
    with pytest.raises(ModelError, match=r"base model .*--adapter"):
        load(str(tmp_path), Options())


def test_without_peft_the_extra_is_named(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(MissingExtraError, match=r"nlptasks\[peft\]"), load(str(tiny("llama")), Options(adapter="x/y")):
        pass


def test_code_that_comes_with_a_model_runs_only_where_that_is_allowed(tiny: Tiny, tmp_path: Path) -> None:
    """In a process of its own: the code is imported."""
    copy = Path(shutil.copytree(tiny("llama"), tmp_path / "model"))
    edit(copy, model_type="own", architectures=["OwnLM"], auto_map={"AutoConfig": "own.OwnConfig", **OWN_CLASSES})
    (copy / "own.py").write_text(OWN_CODE)
    code = (
        "import sys\nfrom nlptasks.backends.hf import Options, load\nfrom nlptasks.records import *\n"
        "request = Request((Message('user', 'Hi'),), config=GenerationConfig(max_new_tokens=3))\n"
        "with load(sys.argv[1], Options(trust_remote_code=True)) as backend:\n"
        "    print(backend.complete([request])[0].usage.completion_tokens)\n"
    )
    environment = {**os.environ, "HF_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
    environment.pop("HF_MODULES_CACHE", None)
    run = subprocess.run(
        [sys.executable, "-c", code, str(copy)], env=environment, capture_output=True, text=True, check=False
    )
    assert run.stdout == "OWN CODE RUNS\n3\n", run.stderr
    with pytest.raises(ModelError, match="--trust-remote-code"):
        load(str(copy), Options())


OWN_CLASSES = {"AutoModelForCausalLM": "own.OwnLM"}
OWN_CODE = """
from transformers import LlamaConfig, LlamaForCausalLM

print("OWN CODE RUNS")


class OwnConfig(LlamaConfig):
    model_type = "own"


class OwnLM(LlamaForCausalLM):
    config_class = OwnConfig
"""
