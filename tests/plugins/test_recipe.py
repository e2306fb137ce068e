"""The recipe of the embedded backend: a trial of all of it, killed on its way."""

from __future__ import annotations

import gzip
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nlptasks
from nlptasks.backends.hf import Options, load
from nlptasks.backends.hf.quiet import quiet
from nlptasks_embedded.parts import Parts
from nlptasks_embedded.recipe.questions import LACKING, LONGEST, SHORTEST, crops
from tests.conftest import Tiny
from tests.support import DATA

TASKS = ["question-answering", "summarization", "translation"]


@pytest.fixture(scope="module")
def encoder(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoder")
    with load(str(tiny("selector")), Options()) as backend, quiet():
        backend.model.encoder.save_pretrained(folder)  # type: ignore[attr-defined]
        backend.tokenizer.save_pretrained(folder)  # type: ignore[attr-defined]
    return folder


def recipe(encoder: Path, output: Path, *more: str) -> subprocess.Popen[str]:
    data = ["--data", str(DATA / "train"), "--output", str(output), "--encoder", str(encoder), "--smoke", *more]
    return subprocess.Popen(
        [sys.executable, "-m", "nlptasks_embedded.recipe", *data],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def made(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a trial that was killed after its first part, and begun again."""
    if not (DATA / "train").is_dir():
        pytest.skip(f"no {DATA / 'train'}: set NLPTASKS_TEST_DATA to the folder that holds train/")
    output = tmp_path_factory.mktemp("recipe")
    first = recipe(encoder, output)
    while not (output / "weights" / TASKS[0]).is_dir():
        assert first.poll() is None, first.communicate()
        time.sleep(0.1)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    out, err = recipe(encoder, output, "--bench", str(DATA / "bench")).communicate()
    assert f"{TASKS[0]}: there already" in out, err
    assert f"--model embedded/{output / 'weights'}" in out, err
    return output / "weights"


def test_all_parts_are_made_described_and_scored(made: Path) -> None:
    parts = Parts(made).known
    assert list(parts) == TASKS
    card = (made / "README.md").read_text("utf-8")
    for part in parts.values():
        assert part.parameters > part.size / 4  # a byte for most weights, and a tokenizer
        assert part.sha256 in card
        assert all(source in card for source in part.sources)
        assert part.scores
        assert all(figures in card for figures in part.scores.values())
    assert "bleu" in parts["translation"].scores["tatoeba_en-zh zh-en"]


def test_what_is_made_answers(made: Path) -> None:
    model = f"embedded/{made}"
    translation = nlptasks.task("translation", model=model)(source="A fox.", source_lang="en", target_lang="de")
    assert translation.target_lang == "de"
    text = "The ferry is new. The captain likes the quiet ferry. The crew came from the old ferry."
    summary = nlptasks.task("summarization", model=model, max_sentences=1)(document=text).summary
    assert summary in text
    answer = nlptasks.task("question-answering", model=model)(question="Who likes it?", context=text)
    assert answer.answer in text


def test_a_data_folder_without_a_set_is_one_line(encoder: Path, tmp_path: Path) -> None:
    data = ["--data", str(tmp_path), "--output", str(tmp_path / "out"), "--encoder", str(encoder)]
    done = subprocess.run(
        [sys.executable, "-m", "nlptasks_embedded.recipe", *data], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "squad_en must hold one .jsonl.gz file" in done.stderr
    assert "Traceback" not in done.stderr


def passages() -> Iterator[dict[str, Any]]:
    chance = random.Random(0)
    for number in range(300):
        names = [f"name{chance.randrange(10**6)}" for _ in range(chance.randint(20, 400))]
        context, answer = " ".join(names), names[chance.randrange(len(names))]
        found = {"answers": [answer], "answer_starts": [context.index(answer)]} if number % 5 else None
        yield {
            "id": str(number),
            "question": "Who?",
            "context": context,
            **(found or {"answers": [], "answer_starts": []}),
        }


class Words:
    """A tokenizer whose tokens are words."""

    def __call__(self, text: str, **_: Any) -> dict[str, list[tuple[int, int]]]:
        ends = [at for at, letter in enumerate(text) if letter == " "] + [len(text)]
        return {"offset_mapping": list(zip([0, *(end + 1 for end in ends)], ends, strict=False))}


def test_crops_hold_the_answer_where_they_say_so() -> None:
    rows = {row["id"]: row for row in passages()}
    found = list(crops(rows.values(), Words(), 4, seed=1))
    assert len(found) == 4 * len(rows)
    lacking = 0
    for crop in found:
        row = rows[crop["id"].partition("-")[0]]
        length = len(crop["context"].split())
        assert crop["context"] in row["context"]
        assert length <= LONGEST
        assert length >= min(SHORTEST // 2, len(row["context"].split()))
        if crop["answers"]:
            start = crop["answer_starts"][0]
            assert crop["context"][start:].startswith(row["answers"][0])
        elif row["answers"]:
            lacking += 1
            assert row["answers"][0] not in crop["context"].split()
    assert 0.5 * LACKING < lacking / len(found) < LACKING


def test_the_layout_is_that_of_the_data(tmp_path: Path) -> None:
    from nlptasks_embedded.recipe.workshop import SMOKE, Workshop

    (tmp_path / "set").mkdir()
    with gzip.open(tmp_path / "set" / "task.en.jsonl.gz", "wt") as file:
        file.writelines(json.dumps({"id": str(number)}) + "\n" for number in range(SMOKE + 5))
    trial, whole = (Workshop(tmp_path, tmp_path, tmp_path, smoke, print) for smoke in (True, False))
    assert len(list(trial.rows("set"))) == SMOKE
    assert len(list(whole.rows("set"))) == SMOKE + 5
