"""The weights that are shipped: what is told of them is true, and the wheel answers with them and no network."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from nlptasks.backends.hf.packed import PACKED
from nlptasks_embedded.parts import WEIGHTS, Parts
from nlptasks_embedded.recipe.card import card
from tests.examples.environment import Environment

MOST = 64_000_000
"""Bytes of all weights together."""
TEXT = "The new ferry carries 180 passengers. It cost 11 million pounds."
ASKED = [
    ("question-answering", {"question": "What did the ferry cost?", "context": TEXT}),
    ("summarization", {"document": TEXT}),
    ("translation", {"source": "Good morning.", "source_lang": "en", "target_lang": "de"}),
    ("translation", {"source": "谢谢。", "source_lang": "zh", "target_lang": "en"}),
    ("chat", {"message": "hello"}),
]
SCRIPT = """
import json, sys

def watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise SystemExit(f"{event} {args}")

sys.addaudithook(watch)
import nlptasks, nlptasks_embedded
print(nlptasks_embedded.__file__)
for task, row in json.loads(sys.argv[1]):
    print(json.dumps(nlptasks.task(task, model="embedded")(**row).model_dump()))
"""


def test_what_is_told_of_each_part_is_true() -> None:
    known = Parts().known
    assert list(known) == ["question-answering", "summarization", "translation"]
    for task, part in known.items():
        files = list((WEIGHTS / task).iterdir())
        assert part.size == sum(path.stat().st_size for path in files)
        assert part.sha256 == hashlib.sha256((WEIGHTS / task / PACKED).read_bytes()).hexdigest()
        assert part.scores
    assert sum(path.stat().st_size for path in WEIGHTS.rglob("*") if path.is_file()) <= MOST
    assert (WEIGHTS / "README.md").read_text("utf-8") == card(list(known.values()))


def test_the_wheel_answers_without_a_network(wheel: Path, tmp_path: Path) -> None:
    pytest.importorskip("pip", reason="the wheel is installed by pip")
    environment = Environment.create(tmp_path / "venv")
    environment.install(wheel)
    done = environment.run("-c", SCRIPT, json.dumps(ASKED), cwd=tmp_path)
    assert done.code == 0, done.err
    file, *answers = done.out.splitlines()
    assert Path(file).is_relative_to(environment.packages)
    answer, summary, morning, thanks, reply = map(json.loads, answers)
    assert answer["answer"] == "11 million pounds"
    assert summary["summary"] in TEXT
    assert "Morgen" in morning["translation"]
    assert "Thank" in thanks["translation"]
    assert "nlptasks" in reply["reply"]
