"""What is tested on: rows from Python are as good as a file, and a Hub that cannot be reached is told of at once."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import datasets
import pytest
from huggingface_hub import constants

from nlptasks.errors import InputError
from nlptasks.evaluation.evaluate import evaluate
from nlptasks.evaluation.hub import hub_rows
from nlptasks.evaluation.scoring import score
from nlptasks.plugin import registry

ROWS: list[dict[str, Any]] = [
    {"source": f"Good morning number {number}", "target": f"Guten Morgen number {number}", "target_lang": "de"}
    for number in range(4)
]
KINDS: Mapping[str, Callable[[], Iterable[Mapping[str, Any]]]] = {
    "list": lambda: ROWS,
    "generator": lambda: (row for row in ROWS),
    "Dataset": lambda: datasets.Dataset.from_list(ROWS),
    "IterableDataset": lambda: datasets.Dataset.from_list(ROWS).to_iterable_dataset(),
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_tested_on_as_their_file_is(kind: str) -> None:
    Path("in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    from_file = evaluate("translation", "in.jsonl", model="echo")
    first, again = (evaluate("translation", KINDS[kind](), model="echo") for _ in range(2))
    assert (first.results, first.counts) == (from_file.results, from_file.counts)
    assert again == first, "the same rows resume their run"
    assert first.run
    assert first.run.startswith("runs/translation-rows-echo-")
    assert score(first.run).results == first.results
    other = evaluate("translation", [*ROWS[:3], {**ROWS[3], "source": "Bye"}], model="echo")
    assert other.run != first.run


def test_examples_may_be_rows_too() -> None:
    pool = [*ROWS, {"source": "Thanks", "target": "Danke", "target_lang": "de"}]
    assert evaluate("translation", ROWS, model="echo", shots=1, shots_from=pool).counts["total"] == 4
    with pytest.raises(InputError, match="1 examples to draw from, not 2"):
        evaluate("translation", ROWS, model="echo", shots=2, shots_from=pool)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (datasets.DatasetDict({"test": datasets.Dataset.from_list(ROWS)}), "a mapping of 'test'"),
        (["Good morning"], "Row 1 of the data is a str"),
        ([], "given rows holds no rows"),
        ([{"text": "Good morning"}], "given rows has no column 'source'"),
    ],
)
def test_what_are_no_rows_is_told(data: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        evaluate("translation", data, model="echo")


@pytest.mark.parametrize("proxy", [False, True])
def test_a_hub_that_cannot_be_reached_is_not_tried_again_and_again(
    proxy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        closed = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "ENDPOINT", "https://hub.invalid" if proxy else closed)
        monkeypatch.setenv("https_proxy", closed if proxy else "")
        monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: pytest.fail("it was tried"))
        with pytest.raises(InputError, match=r"xsum cannot be loaded from the Hub .*refused.*--data xsum=PATH"):
            list(hub_rows(registry().load("benchmark", "xsum"), None))


def test_offline_the_network_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("it was tried"))
    with pytest.raises(InputError, match=r"cannot be loaded from the Hub .*--data xsum=PATH"):
        list(hub_rows(registry().load("benchmark", "xsum"), None))
