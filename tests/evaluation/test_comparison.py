"""Runs side by side: nothing is found where there is nothing, and what there is, is."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from nlptasks.errors import RunError, UsageError
from nlptasks.evaluation.comparison import compare
from nlptasks.text import sentences
from tests.evaluation.numbers import Mean, Positive, Ratio
from tests.support import DATA, run_cli

SIZE = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run, numbers.jsonl, whose predictions are the numbers 0-39."""
    folder = tmp_path_factory.mktemp("runs")
    rows = [{"id": f"r{number}", "prompt": str(number), "reference": str(number)} for number in range(SIZE)]
    (folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    done = run_cli("run", "text-generation", "--model", "echo", "-i", "in.jsonl", "-o", "numbers.jsonl", cwd=folder)
    assert done.code == 0, done.err
    return folder


def changed(folder: Path, name: str, predictions: dict[int, Any], source: str = "numbers") -> Path:
    """Return a copy of a run in which some rows have another prediction, or an error."""
    path = folder / f"{name}.jsonl"
    rows = [json.loads(line) for line in (folder / f"{source}.jsonl").read_text("utf-8").splitlines()]
    for place, value in predictions.items():
        if value is None:
            del rows[place]["prediction"]
        rows[place] |= {"error": {"type": "x", "message": "y"}} if value is None else {"prediction": str(value)}
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    shutil.copytree(folder / f"{source}.jsonl.run", folder / f"{name}.jsonl.run", dirs_exist_ok=True)
    return path


def test_a_run_does_not_differ_from_itself(folder: Path) -> None:
    found = compare([folder / "numbers.jsonl", changed(folder, "again", {})], metrics="rouge,chrf")
    [pair] = found.pairs
    assert list(pair.differences) == ["rouge1", "rouge2", "rougeL", "rougeLsum", "chrf"]
    for one in pair.differences.values():
        assert (one.difference, one.ci95, one.p_bootstrap, one.p_randomization, one.p_holm) == (0, (0, 0), 1, 1, 1)
        assert (one.wins, one.ties, one.losses) == (0, SIZE, 0)
    assert pair.changes == []


def test_a_planted_difference_is_found_in_size_and_direction(folder: Path) -> None:
    better = changed(folder, "better", {place: place + 3 + place % 2 for place in range(SIZE)})
    found = compare([folder / "numbers.jsonl", better], metrics=[Mean(), Ratio()], most=2)
    [pair] = found.pairs
    mean, ratio = pair.differences["mean"], pair.differences["ratio"]
    assert (mean.baseline, mean.value, mean.difference) == (19.5, 23, 3.5)
    assert 3 < mean.ci95[0] < 3.5 < mean.ci95[1] < 4
    assert max(mean.p_bootstrap, mean.p_randomization, mean.p_holm) < 0.01
    assert (mean.wins, mean.ties, mean.losses, mean.n) == (SIZE, 0, 0, SIZE)
    assert ratio.losses == SIZE, "more is worse"
    assert [change.scores[1] - change.scores[0] for change in pair.changes] == [4, 4]
    assert pair.changes[0].references == (pair.changes[0].predictions[0],)


def test_samples_without_a_score_of_their_own_are_not_counted(folder: Path) -> None:
    one = changed(folder, "one", {0: -1, 5: 6})
    found = compare([folder / "numbers.jsonl", one], metrics=[Positive()]).pairs[0].differences
    positive = found["positive"]
    assert (positive.wins, positive.ties, positive.losses) == (1, SIZE - 2, 0)
    nothing = [changed(folder, name, dict.fromkeys(range(SIZE), -1)) for name in ("none", "nada")]
    assert "positive" not in compare(nothing, metrics=[Positive()]).pairs[0].differences


def test_failed_samples_are_left_out_and_counted(folder: Path) -> None:
    failing = changed(folder, "failing", {3: None, 4: None})
    [pair] = compare([folder / "numbers.jsonl", failing], metrics=[Mean()]).pairs
    assert (pair.unpaired, pair.differences["mean"].n, pair.differences["mean"].difference) == (2, SIZE - 2, 0)


def test_every_comparison_counts_in_the_correction(folder: Path) -> None:
    slight = changed(folder, "slight", {place: place + (place % 4 == 0) for place in range(SIZE)})
    alone = compare([folder / "numbers.jsonl", slight], metrics=[Mean()]).pairs[0].differences["mean"]
    assert alone.p_holm == alone.p_randomization
    three = compare([folder / "numbers.jsonl", slight, slight, slight], metrics=[Mean()])
    assert [pair.differences["mean"].p_holm for pair in three.pairs] == [pytest.approx(3 * alone.p_randomization)] * 3


def test_a_comparison_is_json_markdown_and_a_frame(folder: Path) -> None:
    found = compare([folder / "numbers.jsonl", changed(folder, "up", {1: 9})], metrics=[Mean()])
    [pair] = json.loads(json.dumps(found.to_dict()))["pairs"]
    assert pair["differences"]["mean"]["difference"] == pytest.approx(0.2)
    assert pair["changes"][0]["id"] == "r1"
    assert "| mean | 19.50 | 19.70 | +0.20 |" in found.to_markdown()
    assert found.to_pandas()["difference"].tolist() == [pytest.approx(0.2)]


@pytest.mark.parametrize(("field", "value"), [("sha256", "0" * 64), ("columns", {"prompt": "text"})])
def test_other_data_is_refused_and_the_field_is_named(folder: Path, field: str, value: Any) -> None:
    other = changed(folder, "other", {})
    run = folder / "other.jsonl.run" / "run.json"
    values = json.loads(run.read_text("utf-8"))
    values["fingerprint"]["data"][field] = value
    run.write_text(json.dumps(values), "utf-8")
    with pytest.raises(RunError, match=rf"their data\.{field} differs"):
        compare([folder / "numbers.jsonl", other])


def test_another_task_is_refused(folder: Path) -> None:
    other = changed(folder, "task", {})
    run = folder / "task.jsonl.run" / "run.json"
    run.write_text(run.read_text("utf-8").replace('"text-generation"', '"chat"'), "utf-8")
    with pytest.raises(RunError, match="their task differs"):
        compare([folder / "numbers.jsonl", other])


def test_what_is_no_run_is_told(folder: Path) -> None:
    with pytest.raises(UsageError, match="two runs"):
        compare([folder / "numbers.jsonl"])
    with pytest.raises(RunError, match=r"in\.jsonl is no run"):
        compare([folder / "numbers.jsonl", folder / "in.jsonl"])


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared test data is not here")
def test_the_first_sentences_beat_random_ones_on_real_documents(tmp_path: Path) -> None:
    lines = (DATA / "bench/klexikon_de/summarization.de.jsonl").read_text("utf-8").splitlines()[:80]
    (tmp_path / "in.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    done = run_cli("run", "summarization", "--model", "echo", "-i", "in.jsonl", "-o", "echo.jsonl", cwd=tmp_path)
    assert done.code == 0, done.err
    split = [sentences(json.loads(line)["document"], "de") for line in lines]
    chance = random.Random(1)
    lead = {place: " ".join(each[:3]) for place, each in enumerate(split)}
    drawn = {place: " ".join(chance.sample(each, min(3, len(each)))) for place, each in enumerate(split)}
    runs = [changed(tmp_path, name, texts, "echo") for name, texts in (("lead", lead), ("drawn", drawn))]
    found = compare(runs, metrics="rouge").pairs[0].differences["rouge1"]
    assert found.difference < -1
    assert found.ci95[1] < 0
    assert found.p_holm < 0.01
    assert (found.losses or 0) > (found.wins or 0)
