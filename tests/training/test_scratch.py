from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import nlptasks
from nlptasks.errors import ConfigError, InputError, UnknownNameError, UnsupportedError
from tests.training.conftest import checkpoints, killed, losses, same_curve, write

LINES = [
    f"今天{weather}，我们{place}。" for weather in ("天气很好", "下雨", "很冷") for place in ("去公园", "在家看书")
] + [
    f"The weather is {weather} today, so we {place}." for weather in ("fine", "bad") for place in ("go out", "stay in")
]
SETTINGS: dict[str, Any] = {"config": "tiny", "batch_size": 4, "max_length": 64, "save_every": 20, "device": "cpu"}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "corpus.txt"
    path.write_text("\n".join(LINES * 4), "utf-8")
    return path


@pytest.fixture(scope="module")
def trained(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> nlptasks.TrainingResult:
    output = tmp_path_factory.mktemp("trained") / "model"
    return nlptasks.train("text-generation", corpus, output=output, **SETTINGS)


def test_a_model_from_nothing_continues_what_it_read(trained: nlptasks.TrainingResult) -> None:
    curve = [loss for _, loss in losses(trained.history)]
    assert curve[0] > 4
    assert curve[-1] < 1.5
    assert trained.steps >= 100
    task = nlptasks.task("text-generation", model=trained.model, device="cpu", max_new_tokens=16)
    assert task("The weather is fine").text.startswith(" today, so we ")


def test_the_end_of_a_text_is_learnt(trained: nlptasks.TrainingResult) -> None:
    task = nlptasks.task("text-generation", model=trained.model, device="cpu", max_new_tokens=50)
    assert task("The weather is fine today, so we go").text == " out."


def test_what_was_killed_goes_on_along_the_same_curve(
    corpus: Path, trained: nlptasks.TrainingResult, tmp_path: Path
) -> None:
    output = tmp_path / "model"
    arguments = {"output": str(output), **SETTINGS}
    killed(f"'text-generation', {str(corpus)!r}, **{arguments!r}", lambda: "checkpoint-40" in checkpoints(output))
    again = nlptasks.train("text-generation", corpus, **arguments)
    assert same_curve(again, trained)


def test_what_was_pretrained_is_tuned(trained: nlptasks.TrainingResult, tmp_path: Path) -> None:
    """Pre-train, then fine-tune: two calls."""
    data = write(tmp_path / "train.jsonl", [{"prompt": "今天下雨，", "reference": "好。"}] * 8)
    settings: dict[str, Any] = {"full": True, "epochs": 20, "learning_rate": 3e-3, "device": "cpu"}
    result = nlptasks.train("text-generation", data, model=trained.model, output=tmp_path / "tuned", **settings)
    assert nlptasks.task("text-generation", model=result.model, device="cpu")("今天下雨，").text == "好。"


@pytest.mark.parametrize(
    ("config", "error", "words"),
    [
        ("tinny", UnknownNameError, "Did you mean 'tiny'"),
        ("translator-small", UnsupportedError, "does not continue text"),
        ({"model_type": "vit", "vocab_size": 100}, UnsupportedError, "writes no text"),
        ({"model_type": "gpt2"}, ConfigError, "needs a model_type and a vocab_size"),
    ],
)
def test_a_config_that_does_not_fit_is_told_of(
    config: Any, error: type[Exception], words: str, corpus: Path, tmp_path: Path
) -> None:
    if isinstance(config, dict):
        (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
        config = str(tmp_path / "config.json")
    with pytest.raises(error, match=words):
        nlptasks.train("text-generation", corpus, output=tmp_path / "model", config=config)
    assert not (tmp_path / "model").exists()


def test_a_corpus_without_text_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("\n\n", "utf-8")
    with pytest.raises(InputError, match="holds no rows"):
        nlptasks.train("text-generation", tmp_path / "corpus.txt", output=tmp_path / "model", config="tiny")
