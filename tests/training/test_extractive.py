from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import nlptasks
from tests.conftest import Tiny
from tests.training.conftest import checkpoints, killed, same_curve, write

NAMES = ("Anna", "Bert", "Emma", "Hans", "Otto", "Rosa")
PLACES = ("park", "castle", "river", "letter")
ROWS: list[dict[str, Any]] = [
    {"question": "Who wrote it?", "context": f"The {place} is fine. {name} wrote it.", "answers": [name]}
    for name in NAMES
    for place in PLACES
] + [{"question": "Who wrote it?", "context": f"The {place} is fine today.", "answers": []} for place in PLACES]
SETTINGS: dict[str, Any] = {"epochs": 20, "learning_rate": 5e-3, "batch_size": 14, "save_every": 10, "device": "cpu"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data") / "train.jsonl", ROWS)


@pytest.fixture(scope="module")
def trained(tiny: Tiny, data: Path, tmp_path_factory: pytest.TempPathFactory) -> nlptasks.TrainingResult:
    output = tmp_path_factory.mktemp("trained") / "model"
    return nlptasks.train("question-answering", data, model=f"hf/{tiny('bert-qa')}", output=output, **SETTINGS)


def f1(model: str, data: Path, run: Path) -> float:
    given: dict[str, Any] = {"metrics": "squad_v2", "device": "cpu"}
    return nlptasks.evaluate("question-answering", data, model=model, output=run, **given).results["f1"].value


def test_a_model_learns_to_mark_spans_and_to_keep_silent(
    tiny: Tiny, data: Path, trained: nlptasks.TrainingResult, tmp_path: Path
) -> None:
    before, after = f1(f"hf/{tiny('bert-qa')}", data, tmp_path / "before"), f1(trained.model, data, tmp_path / "after")
    assert before < 70
    assert after > 80


def test_what_was_killed_goes_on_along_the_same_curve(
    tiny: Tiny, data: Path, trained: nlptasks.TrainingResult, tmp_path: Path
) -> None:
    output = tmp_path / "model"
    arguments = {"model": f"hf/{tiny('bert-qa')}", "output": str(output), **SETTINGS}
    killed(f"'question-answering', {str(data)!r}, **{arguments!r}", lambda: "checkpoint-20" in checkpoints(output))
    again = nlptasks.train("question-answering", data, **arguments)
    assert same_curve(again, trained)


def test_an_answer_that_the_context_does_not_hold_is_told_of(
    tiny: Tiny, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = write(tmp_path / "train.jsonl", [*ROWS[:8], {**ROWS[0], "answers": ["Zoe"]}])
    model, output = f"hf/{tiny('bert-qa')}", tmp_path / "model"
    nlptasks.train("question-answering", data, model=model, output=output, max_steps=1, device="cpu")
    assert "1 row was left out: row 9: the answer does not stand in the context" in caplog.text
