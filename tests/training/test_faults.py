"""What goes wrong while training goes on: memory, the disk, and settings that are changed in between."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

import nlptasks
from nlptasks.errors import InputError, RunError, StoppedError, UnknownNameError, UsageError
from nlptasks.text import detect_language
from nlptasks.training.families.causal import CausalFamily
from tests.conftest import Tiny
from tests.training.conftest import losses, write

ROWS = [{"document": f"{name} saw a {thing}.", "summary": thing} for name in ("Anna", "Bert") for thing in "abcdefgh"]
Settings = dict[str, Any]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write(tmp_path / "train.jsonl", ROWS)


@pytest.fixture
def settings(tiny: Tiny, data: Path, tmp_path: Path) -> Settings:
    """All weights, so that no dropout makes two trainings differ."""
    model = {"model": f"hf/{tiny('llama')}", "full": True, "precision": "float32", "device": "cpu"}
    return {"task": "summarization", "data": data, "output": tmp_path / "out", "batch_size": 8, "epochs": 2, **model}


def only(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the memory hold so many rows."""
    real = CausalFamily.loss

    def loss(self: CausalFamily, model: Any, inputs: Mapping[str, Any]) -> Any:
        found = real(self, model, inputs)
        if len(inputs["labels"]) > rows:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return found

    monkeypatch.setattr(CausalFamily, "loss", loss)


def test_a_batch_that_is_too_large_is_worked_in_parts_to_the_same_end(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole = nlptasks.train(**settings)
    only(2, monkeypatch)
    parts = nlptasks.train(**{**settings, "output": tmp_path / "parts"})
    assert [loss for _, loss in losses(parts.history)] == pytest.approx([loss for _, loss in losses(whole.history)])
    assert [record.args[1] for record in caplog.records if "Too little memory" in record.msg] == [2, 4]  # type: ignore[index]


def test_too_little_memory_for_a_single_row_is_one_line(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    only(0, monkeypatch)
    with pytest.raises(RunError, match="lower --max-length"):
        nlptasks.train(**settings)


@contextmanager
def full_disk(limit: int) -> Iterator[None]:
    """Let no file grow beyond ``limit`` bytes."""
    detect_language("It unpacks its model into a file, when it is first called.")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_is_full_costs_checkpoints_and_not_the_model(
    settings: Settings, tiny: Tiny, caplog: pytest.LogCaptureFixture
) -> None:
    weights = (tiny("llama") / "model.safetensors").stat().st_size
    with full_disk(int(weights * 1.5)):  # the optimizer's state takes twice as much as the weights
        assert nlptasks.train(**settings, save_every=2).steps == 4
    assert "no checkpoint of update 2 could be written" in caplog.messages[0]
    assert (settings["output"] / "model.safetensors").stat().st_size == weights


def test_where_the_model_does_not_fit_either_one_line_tells_and_the_same_call_goes_on(
    settings: Settings, tiny: Tiny
) -> None:
    weights = (tiny("llama") / "model.safetensors").stat().st_size
    with full_disk(weights // 2), pytest.raises(RunError, match="make room and run the same command"):
        nlptasks.train(**settings)
    assert not (settings["output"] / "model.safetensors").exists()
    assert nlptasks.train(**settings).steps == 4


def stopped(settings: Settings, at: int) -> None:
    def watch(update: Any) -> None:
        if update.step >= at:
            raise KeyboardInterrupt

    with pytest.raises(StoppedError, match="same command"):
        nlptasks.train(**settings, watch=watch)


def test_a_torn_checkpoint_is_passed_over(settings: Settings) -> None:
    stopped({**settings, "save_every": 1}, 3)
    newest = settings["output"] / "work/checkpoint-2"
    shutil.copytree(newest, newest.with_name("checkpoint-3"))
    (newest.with_name("checkpoint-3") / "trainer_state.json").write_text('{"global_st', "utf-8")
    result = nlptasks.train(**{**settings, "save_every": 1})
    assert [step for step, _ in losses(result.history)] == [1, 2, 3, 4]


def test_another_task_or_other_data_do_not_go_on_from_a_checkpoint(settings: Settings, tmp_path: Path) -> None:
    stopped({**settings, "save_every": 1}, 3)
    rows = write(tmp_path / "other.jsonl", [{"prompt": "a", "reference": "b"}])
    with pytest.raises(RunError, match=r"another task .*--overwrite"):
        nlptasks.train(**{**settings, "save_every": 1, "task": "text-generation", "data": rows})
    with pytest.raises(RunError, match=r"another data .*--overwrite"):
        nlptasks.train(**{**settings, "save_every": 1, "data": write(tmp_path / "more.jsonl", ROWS * 2)})


def test_what_came_to_no_checkpoint_gives_way_to_what_is_asked_next(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of its rows"):
        nlptasks.train(**{**settings, "data": write(tmp_path / "bad.jsonl", [{"document": "Anna saw a dog."}])})
    assert nlptasks.train(**settings).steps == 4


def test_a_wrong_figure_is_named_and_the_right_one_goes_on(settings: Settings) -> None:
    watched = {**settings, "save_every": 1, "evaluation": settings["data"], "eval_limit": 2, "max_new_tokens": 4}
    with pytest.raises(UnknownNameError, match="rougeL"):
        nlptasks.train(**watched, metric="rogueL")
    assert "rougeL" in nlptasks.train(**watched, metric="rougeL", patience=9).scores


def test_weights_of_eight_bits_do_not_learn(settings: Settings) -> None:
    with pytest.raises(UsageError, match="leave --dtype out"):
        nlptasks.train(**settings, dtype="int8")
    assert not settings["output"].exists()


def test_nothing_heavy_is_imported_before_training_begins() -> None:
    """How its threads wait must be settled before torch is there."""
    code = "import sys, nlptasks; nlptasks.train; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
