from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nlptasks.backends.hf import Options, load
from nlptasks.errors import ModelError
from tests.backends.hf.conftest import ask, completion
from tests.conftest import Tiny

Spoil = Callable[[Path], object]


@pytest.fixture
def copy(tiny: Tiny, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny("llama"), tmp_path / "model"))


def edit(folder: Path, **changes: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    config.update(changes)
    (folder / "config.json").write_text(json.dumps({k: v for k, v in config.items() if v is not None}))


def drop(folder: Path, *patterns: str) -> None:
    for pattern in patterns:
        for path in folder.glob(pattern):
            path.unlink()


def pickle_weights(folder: Path) -> None:
    import torch

    drop(folder, "model.safetensors")
    torch.save({}, folder / "pytorch_model.bin")


def cut_weights(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda folder: drop(folder, "config.json"), "no config.json"),
        (lambda folder: edit(folder, model_type="nosuch"), "'nosuch'"),
        (lambda folder: edit(folder, model_type=None), "no model_type"),
        (lambda folder: edit(folder, architectures=["LlamaForTokenClassification"]), "LlamaForTokenClassification"),
        (lambda folder: edit(folder, model_type="nosuch", auto_map={"AutoConfig": "c.C"}), "--trust-remote-code"),
        (lambda folder: (folder / "config.json").write_text("{broken"), "cannot be loaded"),
        (lambda folder: drop(folder, "model.safetensors"), "no weights"),
        (pickle_weights, "pickle"),
    ],
)
def test_a_folder_that_is_no_usable_model_is_refused_before_weights(copy: Path, spoil: Spoil, says: str) -> None:
    spoil(copy)
    with pytest.raises(ModelError) as error:
        load(str(copy), Options())
    assert says in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (cut_weights, "damaged"),
        (lambda folder: edit(folder, architectures=["LlamaForQuestionAnswering"]), "lacks"),
        (lambda folder: edit(folder, hidden_size=64), "cannot be loaded"),
    ],
)
def test_weights_that_do_not_fit_are_refused_on_entering(copy: Path, spoil: Spoil, says: str) -> None:
    spoil(copy)
    backend = load(str(copy), Options())
    with pytest.raises(ModelError) as error:
        backend.__enter__()
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_tokenizer_is_named(copy: Path) -> None:
    drop(copy, "tokenizer*", "chat_template*")
    with pytest.raises(ModelError, match="no tokenizer"):
        load(str(copy), Options()).identity()


@pytest.mark.parametrize("model", ["./nowhere", "/nowhere/at/all", "~/nowhere-at-all", "a/b/c"])
def test_a_folder_that_is_not_there(model: str) -> None:
    with pytest.raises(ModelError, match="No folder"):
        load(model, Options())


def test_a_hub_id_that_was_never_downloaded_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    forbid_connections(monkeypatch)
    with pytest.raises(ModelError, match="--offline"):
        load("owner/nosuch", Options(offline=True))


def test_the_hub_out_of_reach(tmp_path: Path) -> None:
    """In a process of its own: the hub's address is read once."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = (
        "import time\nfrom nlptasks.backends.hf import Options, load\n"
        "from nlptasks.errors import ModelError\n"
        "time.sleep = lambda seconds: None\n"  # between tries
        "try:\n    load('owner/nosuch', Options())\nexcept ModelError as error:\n    print(error)\n"
    )
    environment = {**os.environ, "HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HOME": str(tmp_path)}
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy", "HF_HUB_OFFLINE"):
        environment.pop(name, None)
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.startswith("The hub cannot be reached to fetch 'owner/nosuch'")
    assert len(run.stdout.splitlines()) == 1


def forbid_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError(f"a connection was opened: {args}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize("offline", [True, False])
@pytest.mark.parametrize("family", ["llama", "marian", "bert-qa", "llava"])
def test_a_local_model_opens_no_connection(
    tiny: Tiny, family: str, offline: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid_connections(monkeypatch)
    fields = {"text": "Hi", "question": "Who?", "context": "Ada."}
    with load(str(tiny(family)), Options(offline=offline)) as backend:
        completion(backend, ask("Hi", fields=fields, max_new_tokens=2))


def test_loading_and_answering_is_quiet(tiny: Tiny) -> None:
    code = (
        "import sys\nfrom nlptasks.backends.hf import Options, load\n"
        "from nlptasks.records import GenerationConfig, Message, Request\n"
        "for folder in sys.argv[1:]:\n"
        "    with load(folder, Options()) as backend:\n"
        "        fields = {'text': 'Hi', 'question': 'Who?', 'context': 'Ada.'}\n"
        "        config = GenerationConfig(max_new_tokens=None if 'llama' in folder else 4)\n"
        "        request = Request((Message('user', 'word ' * 40),), fields=fields, config=config)\n"
        "        assert backend.complete([request, request])\n"
        "        assert [*backend.stream(request)]\n"
    )
    folders = [
        str(tiny(family)) for family in ("llama", "gpt2", "marian", "t5", "nllb", "bert-qa", "llava", "qwen2-vl")
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, "-c", code, *folders], capture_output=True, text=True, check=True, env=environment
    )
    assert (run.stdout, run.stderr) == ("", "")


def test_weights_load_late_and_leave_on_closing(tiny: Tiny) -> None:
    backend: Any = load(str(tiny("llama")), Options())
    assert backend.refusal("summarization") is None
    assert backend.limits().count(ask("Hello")) > 0
    assert backend.identity()["dtype"] == "float32"
    assert backend._model is None
    assert completion(backend, ask("Hello", max_new_tokens=2))
    model = weakref.ref(backend._model)
    backend.close()
    assert model() is None
    with backend:
        assert backend._model is not None
    assert backend._model is None


def test_identity_tells_models_apart(tiny: Tiny, copy: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    def weights(path: Path) -> str:
        return load(str(path), Options()).identity()["weights"]

    assert weights(copy) == weights(tiny("llama"))
    tensors = load_file(copy / "model.safetensors")
    tensors["model.norm.weight"] = tensors["model.norm.weight"] + torch.tensor(0.5)
    save_file(tensors, copy / "model.safetensors", metadata={"format": "pt"})
    assert weights(copy) != weights(tiny("llama"))


@pytest.mark.parametrize(
    ("family", "kind"),
    [
        ("llama", "CausalBackend"),
        ("gpt2", "CausalBackend"),
        ("marian", "Seq2SeqBackend"),
        ("bert-qa", "ExtractiveBackend"),
        ("llava", "VisionBackend"),
    ],
)
def test_the_family_is_read_from_the_config(tiny: Tiny, family: str, kind: str) -> None:
    assert type(load(str(tiny(family)), Options())).__name__ == kind


def test_a_config_without_architectures_goes_by_its_model_type(copy: Path) -> None:
    edit(copy, architectures=None)
    with load(str(copy), Options()) as backend:
        assert completion(backend, ask("Hi", max_new_tokens=2)).usage.completion_tokens == 2
