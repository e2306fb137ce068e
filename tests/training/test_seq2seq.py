from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import nlptasks
from nlptasks.backends.hf import Options, load
from nlptasks.records import Request
from nlptasks.training.families.base import Example
from nlptasks.training.families.seq2seq import Seq2SeqFamily
from nlptasks.training.options import TrainingOptions
from tests.conftest import Tiny
from tests.training.conftest import checkpoints, killed, same_curve, write

WORDS = {"river": "den Fluss", "bridge": "die Brücke", "garden": "den Garten", "school": "die Schule"}
ROWS = [
    {"source": f"{name} saw the {word}.", "target": f"{name} sah {answer}."}
    for word, answer in WORDS.items()
    for name in ("Anna", "Bert", "Emma", "Hans")
]
LANGUAGES: dict[str, Any] = {"defaults": {"source_lang": "en", "target_lang": "de"}}
SETTINGS: dict[str, Any] = {
    **LANGUAGES,
    "epochs": 50,
    "learning_rate": 1e-2,
    "batch_size": 8,
    "save_every": 20,
    "schedule": "constant",
    "max_new_tokens": 12,
    "device": "cpu",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data") / "train.jsonl", ROWS)


@pytest.fixture(scope="module")
def trained(tiny: Tiny, data: Path, tmp_path_factory: pytest.TempPathFactory) -> nlptasks.TrainingResult:
    output = tmp_path_factory.mktemp("trained") / "model"
    return nlptasks.train("translation", data, model=f"hf/{tiny('nllb')}", output=output, **SETTINGS)


def chrf(model: str, data: Path, run: Path) -> float:
    limits: dict[str, Any] = {"max_new_tokens": 12, "device": "cpu", **LANGUAGES}
    return nlptasks.evaluate("translation", data, model=model, output=run, **limits).results["chrf"].value


def test_a_translator_learns_and_loads(
    tiny: Tiny, data: Path, trained: nlptasks.TrainingResult, tmp_path: Path
) -> None:
    assert chrf(f"hf/{tiny('nllb')}", data, tmp_path / "before") < 15
    assert chrf(trained.model, data, tmp_path / "after") > 60


def test_what_was_killed_goes_on_along_the_same_curve(
    tiny: Tiny, data: Path, trained: nlptasks.TrainingResult, tmp_path: Path
) -> None:
    output = tmp_path / "model"
    arguments = {"model": f"hf/{tiny('nllb')}", "output": str(output), **SETTINGS}
    killed(f"'translation', {str(data)!r}, **{arguments!r}", lambda: "checkpoint-40" in checkpoints(output))
    again = nlptasks.train("translation", data, **arguments)
    assert same_curve(again, trained)


def test_the_answer_begins_with_the_code_of_its_language_and_ends(tiny: Tiny) -> None:
    with load(str(tiny("nllb")), Options()) as backend:
        family = Seq2SeqFamily(backend, TrainingOptions())  # type: ignore[arg-type]
        fields = {"text": "The weather is fine.", "source_lang": "en", "target_lang": "zh"}
        request = Request((), "translation", fields)
        [row] = family.features(Example(None, request, "天气很好。"))  # type: ignore[arg-type]
        tokens = backend.tokenizer.convert_ids_to_tokens(row["labels"])  # type: ignore[attr-defined]
        batch = family.collate([row])
    assert (tokens[0], tokens[-1]) == ("zho_Hans", "</s>")
    assert batch["decoder_input_ids"][0, 1] == row["labels"][0]
