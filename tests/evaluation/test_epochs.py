"""Questions that are asked more than once: how often changes how sure a figure is, not how many samples there are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from nlptasks import Backend, Capability, Completion, Request
from nlptasks.errors import InputError
from nlptasks.evaluation.comparison import compare
from nlptasks.evaluation.evaluate import evaluate
from nlptasks.evaluation.scoring import score

WORDS = "one two three four five six seven eight nine ten".split()


class Speaker(Backend):
    """Repeats the text; in every epoch after the first it leaves out so many more of its last words."""

    capabilities = frozenset({Capability.CHAT})

    def __init__(self, less: int = 0, fewer: int = 0) -> None:
        self.less, self.fewer = less, fewer
        self.epochs: list[Any] = []

    def identity(self) -> dict[str, str]:
        return {"model": f"speaker-{self.less}-{self.fewer}"}

    def complete(self, requests: Sequence[Request]) -> list[Completion]:
        self.epochs += [request.epoch for request in requests]
        return [Completion(self._said(request)) for request in requests]

    def _said(self, request: Request) -> str:
        said = request.fields["text"].split()
        return " ".join(said[: len(said) - self.fewer - request.epoch * self.less])


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write_rows(count: int = 12, **more: Any) -> str:
    texts = [" ".join([*WORDS[: 6 + number % 5], f"number{number}"]) for number in range(count)]
    rows = [
        {"id": f"r{number}", "source": text, "target": text, "target_lang": "en", **more}
        for number, text in enumerate(texts)
    ]
    Path("in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return "in.jsonl"


def test_the_interval_of_a_corpus_figure_does_not_shrink_with_the_epochs() -> None:
    data = write_rows(20)
    once = evaluate("translation", data, model=Speaker(fewer=2), metrics="bleu", output="once")
    often = evaluate("translation", data, model=Speaker(fewer=2), metrics="bleu", epochs=4, output="often")
    one, many = once.results["bleu"], often.results["bleu"]
    assert many.value == pytest.approx(one.value)
    assert many.stderr == pytest.approx(one.stderr, rel=0.15)
    assert one.n == many.n == 20
    assert "samples" not in once.counts
    assert (often.counts["total"], often.counts["scored"], often.counts["samples"]) == (80, 80, 20)
    assert score("often") == often


def test_wins_and_changes_are_of_samples_with_all_their_epochs() -> None:
    data = write_rows()
    evaluate("translation", data, model=Speaker(less=1), metrics="chrf", epochs=3, output="a")
    evaluate("translation", data, model=Speaker(less=2), metrics="chrf", epochs=3, output="b")
    [pair] = compare(["a", "b"], most=100).pairs
    chrf = pair.differences["chrf"]
    assert (chrf.wins, chrf.ties, chrf.losses, chrf.n) == (0, 0, 12, 12)
    assert len({change.id for change in pair.changes}) == len(pair.changes) == 12
    assert pair.unpaired == 0
    for change in pair.changes:
        assert change.predictions[0] == change.predictions[1], "the first epochs are alike"
        assert change.scores[0] > change.scores[1]


def test_a_run_with_epochs_is_paired_with_one_without() -> None:
    data = write_rows()
    evaluate("translation", data, model=Speaker(), metrics="chrf", output="a")
    evaluate("translation", data, model=Speaker(less=1), metrics="chrf", epochs=2, output="b")
    [pair] = compare(["a", "b"]).pairs
    assert (pair.differences["chrf"].n, pair.differences["chrf"].difference, pair.unpaired) == (12, 0, 12)


def test_the_data_may_have_a_column_of_that_name() -> None:
    backend = Speaker()
    data = write_rows(3, epoch="Baroque")
    Path(data).write_text(Path(data).read_text().replace('"r2"', '"r1"'))  # and an id may be there twice
    scores = evaluate("translation", data, model=backend, metrics="chrf", by="epoch", output="run")
    assert backend.epochs == [0, 0, 0]
    assert scores.results["chrf"].n == scores.groups["Baroque"]["chrf"].n == 3
    assert compare(["run", "run"]).pairs[0].differences["chrf"].n == 3
    with pytest.raises(InputError, match="column 'epoch' of their own"):
        evaluate("translation", data, model=Speaker(), epochs=2)
