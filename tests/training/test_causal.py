from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import nlptasks
from nlptasks.backends.hf import Options, load
from nlptasks.errors import UnsupportedError
from nlptasks.records import GenerationConfig, Message, Request
from nlptasks.training.families.base import Example
from nlptasks.training.families.causal import CausalFamily
from nlptasks.training.options import TrainingOptions
from tests.conftest import Tiny
from tests.training.conftest import checkpoints, killed, same_curve, write

WORDS = {"river": "Fluss", "bridge": "Brücke", "garden": "花园", "school": "学校"}
ROWS = [
    {"prompt": f"{name} saw the {word}", "reference": answer}
    for word, answer in WORDS.items()
    for name in ("Anna", "Bert", "Emma", "Hans")
]
SETTINGS: dict[str, Any] = {"epochs": 40, "learning_rate": 1e-2, "batch_size": 8, "device": "cpu", "save_every": 20}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data") / "train.jsonl", ROWS)


@pytest.fixture(scope="module")
def adapter(tiny: Tiny, data: Path, tmp_path_factory: pytest.TempPathFactory) -> nlptasks.TrainingResult:
    output = tmp_path_factory.mktemp("trained") / "adapter"
    return nlptasks.train("text-generation", data, model=f"hf/{tiny('gpt2')}", output=output, **SETTINGS)


def right(model: str) -> float:
    """The share of prompts that a model answers as it was taught, the end of the answer included."""
    task = nlptasks.task("text-generation", model=model, device="cpu", max_new_tokens=12)
    return sum(bool(task(row["prompt"]).text == row["reference"]) for row in ROWS) / len(ROWS)


def test_an_adapter_learns_and_loads_by_its_folder(tiny: Tiny, adapter: nlptasks.TrainingResult) -> None:
    assert right(f"hf/{tiny('gpt2')}") == 0
    assert (adapter.output / "adapter_model.safetensors").is_file()
    assert not (adapter.output / "model.safetensors").exists()
    assert right(adapter.model) > 0.7


def test_all_weights_learn_and_a_figure_of_the_task_decides(tiny: Tiny, data: Path, tmp_path: Path) -> None:
    held_out = write(tmp_path / "dev.jsonl", [{"document": r["prompt"], "summary": r["reference"]} for r in ROWS[::2]])
    rows = write(tmp_path / "rows.jsonl", [{"document": r["prompt"], "summary": r["reference"]} for r in ROWS])
    prompt: dict[str, Any] = {"prompt": "{{ text }}", "system": "", "max_new_tokens": 8, "device": "cpu"}
    before = nlptasks.evaluate("summarization", held_out, model=f"hf/{tiny('gpt2')}", output=tmp_path / "run", **prompt)
    result = nlptasks.train(
        "summarization",
        rows,
        model=f"hf/{tiny('gpt2')}",
        output=tmp_path / "model",
        evaluation=held_out,
        full=True,
        metric="rougeL",
        patience=2,
        **{**SETTINGS, "epochs": 30, "evaluate_every": 20, **prompt},
    )
    assert before.results["rougeL"].value < 20
    assert result.scores["rougeL"] > 60
    again = nlptasks.evaluate("summarization", held_out, model=result.model, output=tmp_path / "again", **prompt)
    assert again.results["rougeL"].value == pytest.approx(result.scores["rougeL"])
    assert f"| rougeL | {result.scores['rougeL']:.2f} |" in (result.output / "README.md").read_text("utf-8")
    assert not (result.output / "work").exists()


def test_a_merged_adapter_is_a_whole_model(tiny: Tiny, data: Path, tmp_path: Path) -> None:
    output = tmp_path / "model"
    result = nlptasks.train(
        "text-generation", data, model=f"hf/{tiny('gpt2')}", output=output, merge=True, **{**SETTINGS, "epochs": 20}
    )
    assert (output / "model.safetensors").is_file()
    assert not (output / "adapter_config.json").exists()
    with load(str(output), Options(device="cpu")) as whole, load(str(tiny("gpt2")), Options(device="cpu")) as base:
        merged, plain = (backend.model.state_dict() for backend in (whole, base))  # type: ignore[attr-defined]
    differ = [name for name, weight in merged.items() if not weight.equal(plain[name])]
    assert any("c_attn.weight" in name for name in differ)
    assert result.steps == 40


def test_an_adapter_cannot_rest_on_another(adapter: nlptasks.TrainingResult, data: Path, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="--merge or --full"):
        nlptasks.train("text-generation", data, model=adapter.model, output=tmp_path / "more", device="cpu")


def test_what_was_killed_goes_on_along_the_same_curve(
    tiny: Tiny, data: Path, adapter: nlptasks.TrainingResult, tmp_path: Path
) -> None:
    output = tmp_path / "model"
    arguments = {"model": f"hf/{tiny('gpt2')}", "output": str(output), **SETTINGS}
    killed(f"'text-generation', {str(data)!r}, **{arguments!r}", lambda: "checkpoint-20" in checkpoints(output))
    assert not (output / "adapter_model.safetensors").exists()
    again = nlptasks.train("text-generation", data, **arguments)
    assert same_curve(again, adapter)


def test_the_answer_alone_is_learnt_with_the_token_that_the_template_ends_it_with(tiny: Tiny) -> None:
    with load(str(tiny("qwen3")), Options()) as backend:
        family = CausalFamily(backend, TrainingOptions())  # type: ignore[arg-type]
        request = Request((Message("user", "今天天气怎么样？"),), config=GenerationConfig())
        [row] = family.features(Example(None, request, "很好。"))  # type: ignore[arg-type]
        prompt = backend.tokens(request)  # type: ignore[attr-defined]
        assert row["input_ids"][: len(prompt)] == prompt
        assert set(row["labels"][: len(prompt)]) == {-100}
        learnt = backend.tokenizer.decode(row["labels"][len(prompt) :])  # type: ignore[attr-defined]
    assert learnt == "很好。<|im_end|>"
