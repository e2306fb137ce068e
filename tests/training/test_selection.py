from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from nlptasks import Backend
from nlptasks.backends.factory import BackendFactory
from nlptasks.backends.hf import Options, load
from nlptasks.backends.hf.quiet import quiet
from nlptasks.backends.hf.selection import SelectionBackend
from nlptasks.errors import NLPTasksError, StoppedError
from nlptasks.records import Request
from nlptasks.training.families.oracle import oracle
from nlptasks.training.train import train
from tests.conftest import Tiny
from tests.training.conftest import losses

NAMES = "Anna Bert Clara David Emma Fritz Greta Hans".split()
THINGS = "bridge garden harbour market mountain river school train".split()


def row(chance: random.Random, number: int) -> dict[str, str]:
    """A story of eight sentences, of which the one that begins with "Now" is its summary, wherever it stands."""
    told = [f"{chance.choice(NAMES)} saw the {thing} in the year {chance.randrange(1900, 2000)}." for thing in THINGS]
    point = f"Now {chance.choice(NAMES)} wrote a program about the {chance.choice(THINGS)}."
    told[chance.randrange(8)] = point
    return {"id": str(number), "document": " ".join(told), "summary": point}


def write(path: Path, count: int, seed: int) -> Path:
    chance = random.Random(seed)
    path.write_text("".join(json.dumps(row(chance, n)) + "\n" for n in range(count)), "utf-8")
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data") / "train.jsonl", 96, 1)


@pytest.fixture(scope="module")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    path = write(tmp_path_factory.mktemp("data") / "dev.jsonl", 40, 2)
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def encoder(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare encoder, as one that was trained for something else."""
    folder = tmp_path_factory.mktemp("encoder")
    with load(str(tiny("selector")), Options()) as backend, quiet():
        backend.model.encoder.save_pretrained(folder)  # type: ignore[attr-defined]
        backend.tokenizer.save_pretrained(folder)  # type: ignore[attr-defined]
    return folder


SETTINGS: dict[str, Any] = {"epochs": 12, "learning_rate": 1e-2, "batch_size": 16, "save_every": 5, "device": "cpu"}


@pytest.fixture(scope="module")
def trained(encoder: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("trained") / "model"
    train("summarization", data, model=f"hf/{encoder}", output=output, **SETTINGS)
    return output


def right(backend: Backend, rows: list[dict[str, str]]) -> float:
    """Return the share of documents whose summary is the reference itself."""
    requests = [Request((), "summarization", {"text": each["document"], "max_sentences": "1"}) for each in rows]
    answers = backend.complete(requests)
    return sum(answer.text == each["summary"] for answer, each in zip(answers, rows, strict=True)) / len(rows)  # type: ignore[union-attr]


def test_a_bare_encoder_learns_which_sentences_make_a_summary(trained: Path, held_out: list[dict[str, str]]) -> None:
    curve = losses(json.loads((trained / "training.json").read_text("utf-8"))["history"])
    assert curve[-1][1] < 0.7 * curve[0][1]
    chance = sum(each["document"].startswith(each["summary"]) for each in held_out) / len(held_out)
    assert chance < 0.4
    with BackendFactory(f"hf/{trained}").bare() as after:
        assert isinstance(after, SelectionBackend)
        assert right(after, held_out) > 0.9


def test_the_encoder_stays_as_it_is(encoder: Path, trained: Path) -> None:
    from safetensors.torch import load_file

    before = load_file(encoder / "model.safetensors")
    after = load_file(trained / "model.safetensors")
    assert all(torch.equal(weights, after[f"encoder.{name}"]) for name, weights in before.items())


def test_a_selector_learns_on(trained: Path, data: Path, tmp_path: Path, held_out: list[dict[str, str]]) -> None:
    result = train("summarization", data, model=f"hf/{trained}", output=tmp_path / "more", epochs=1, device="cpu")
    with BackendFactory(result.model).bare() as backend:
        assert right(backend, held_out) > 0.9


def test_a_training_that_was_stopped_goes_on_to_the_same_weights(
    encoder: Path, data: Path, trained: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    def stop(update: Any) -> None:
        if update.step >= 20:
            raise KeyboardInterrupt

    again: dict[str, Any] = {"model": f"hf/{encoder}", "output": tmp_path / "model", **SETTINGS}
    with pytest.raises(StoppedError):
        train("summarization", data, watch=stop, **again)
    assert not (tmp_path / "model" / "model.safetensors").exists()
    train("summarization", data, **again)
    whole, parts = (load_file(folder / "model.safetensors") for folder in (trained, tmp_path / "model"))
    assert whole.keys() == parts.keys()
    assert all(torch.allclose(whole[name], parts[name], atol=1e-6) for name in whole)


def test_features_alone_can_be_learnt_in_any_language(tmp_path: Path) -> None:
    from nlptasks.backends.hf.selector import Selector, SelectorConfig

    with quiet():
        Selector(SelectorConfig()).save_pretrained(tmp_path / "start")
    texts = [
        "Am Anfang war es still. Die Leute schliefen noch lange. Der Hund bellte am Tor. Zuletzt kam der Zug an.",
        "小镇上很安静。人们还在睡觉。一只狗在门口叫。最后火车终于到了。",
    ]
    rows = [
        {"document": texts[0], "summary": "Zuletzt kam der Zug."},
        {"document": texts[1], "summary": "火车终于到了"},
    ]
    path = tmp_path / "train.jsonl"
    path.write_text("".join(json.dumps(rows[n % 2]) + "\n" for n in range(32)), "utf-8")
    start, output = f"hf/{tmp_path / 'start'}", tmp_path / "model"
    result = train("summarization", path, model=start, output=output, epochs=30, learning_rate=1e-1, device="cpu")
    with BackendFactory(result.model).bare() as backend:
        requests = [Request((), "summarization", {"text": text}) for text in texts]
        found = [answer.text for answer in backend.complete(requests)]  # type: ignore[union-attr]
    assert found == ["Zuletzt kam der Zug an.", "最后火车终于到了。"]


def test_a_summary_that_no_sentence_leads_to_is_told_of(
    encoder: Path, data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = shutil.copy(data, tmp_path / "train.jsonl")
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"document": "Anna saw the bridge.", "summary": "完全不同"}) + "\n")
    train("summarization", path, model=f"hf/{encoder}", output=tmp_path / "model", max_steps=1, device="cpu")
    assert "row 97" in caplog.text
    assert "no sentence has a word of the summary" in caplog.text


def test_a_selector_learns_nothing_else(trained: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(NLPTasksError, match="summarization"):
        train("translation", data, model=f"hf/{trained}", output=tmp_path / "model")


@pytest.mark.parametrize(
    ("reference", "places"),
    [
        ("The ferry is quiet and new.", [2]),
        ("The dog barks, and the ferry is quiet and new.", [2, 1]),
        ("A whale", []),
    ],
)
def test_the_oracle_takes_what_brings_the_summary_nearer(reference: str, places: list[int]) -> None:
    sentences = ["Winter came.", "The dog barks.", "The ferry is quiet and new.", "Boats sail by."]
    assert oracle(sentences, reference) == places


def test_the_oracle_reads_chinese() -> None:
    assert oracle(["狗在叫。", "渡轮又新又安静。"], "新的渡轮很安静") == [1]
