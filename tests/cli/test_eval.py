"""``eval``: run and score in one directory, whatever happens in between."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from tests.conftest import Tiny
from tests.support import DATA, Cli

EVAL = ("eval", "translation", "--model", "echo", "--data", "in.jsonl")


def write_rows(path: Path, count: int, **more: Any) -> Path:
    rows = [
        {
            "id": f"r{number}",
            "source": f"Good morning number {number} to you",
            "target": f"Guten Morgen number {number} to you",
            "target_lang": "de",
            "kind": "even" if number % 2 == 0 else "odd",
            **more,
        }
        for number in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def read_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def test_one_directory_holds_answers_and_figures(cli: Cli, tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", 30)
    done = cli(*EVAL, "--by", "kind", "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert found["counts"] == {"total": 30, "scored": 30, "failed": 0, "empty": 0, "unanswered": 0} | {
        "truncated": 0,
        "cached": 0,
    }
    assert set(found["results"]) >= {"bleu", "chrf"}
    assert set(found["groups"]) == {"even", "odd"}
    one = found["results"]["chrf"]
    assert one["ci95"][0] <= one["value"] <= one["ci95"][1]
    assert one["n"] == 30
    folder = tmp_path / found["run"]
    assert folder.parent == tmp_path / "runs"
    assert folder.name.startswith("translation-in-echo-")
    run = read_json(folder / "run.json")
    assert run["status"] == "success"
    assert run["results"] == found["results"]
    assert run["metrics"] == ["bleu", "chrf"]
    rows, samples = read_rows(folder / "predictions.jsonl"), read_rows(folder / "samples.jsonl")
    assert [row["id"] for row in rows] == [f"r{number}" for number in range(30)] == [one["id"] for one in samples]
    assert rows[0]["prediction"] == "Good morning number 0 to you"
    again = json.loads(cli("score", folder, "--by", "kind", "--json").out)
    assert again["results"] == found["results"]
    assert again["groups"] == found["groups"]


def check_killed_and_resumed(cli: Cli, folder: Path, command: Sequence[object], targets: Sequence[int]) -> None:
    """Kill an evaluation when its output has so many rows, resume it, and compare it with one left alone."""
    options = ["--output", "run", "--json"]
    output, before = folder / "run" / "predictions.jsonl", 0
    for target in targets:
        quiet = subprocess.DEVNULL
        arguments = [sys.executable, "-m", "nlptasks", *map(str, command), *options]
        process = subprocess.Popen(arguments, cwd=folder, stdout=quiet, stderr=quiet)
        while process.poll() is None and (not output.exists() or output.read_bytes().count(b"\n") < target):
            time.sleep(0.002)
        assert process.poll() is None, "it ended before it could be killed"
        process.kill()
        assert process.wait() == -signal.SIGKILL
        assert output.read_bytes().count(b"\n") >= before
        before = output.read_bytes().count(b"\n")
    resumed = cli(*command, *options)
    assert resumed.code == 0, resumed.err
    assert "resuming after" in resumed.err
    whole = cli(*command, "--output", "other", "--json")
    assert output.read_bytes() == (folder / "other" / "predictions.jsonl").read_bytes()
    ours, theirs = json.loads(resumed.out), json.loads(whole.out)
    assert (ours["results"], ours["counts"]) == (theirs["results"], theirs["counts"])
    again = cli("score", "run", "--json")
    assert json.loads(again.out)["results"] == ours["results"]


def test_killed_and_resumed_is_as_undisturbed(cli: Cli, tmp_path: Path) -> None:
    rows = 2_000
    write_rows(tmp_path / "in.jsonl", rows)
    targets = sorted(random.Random(3).sample(range(200, rows - 500), 2))
    check_killed_and_resumed(cli, tmp_path, [*EVAL, "--metrics", "chrf"], targets)


@pytest.mark.parametrize(
    ("task", "name", "model"),
    [
        ("summarization", "klexikon_de/summarization.de.jsonl", "embedded"),
        ("question-answering", "xquad_de/question-answering.de.jsonl", "embedded"),
        ("translation", "multi30k_en-de/translation.en-de.jsonl", "tiny"),
    ],
)
def test_real_data_killed_and_resumed(task: str, name: str, model: str, cli: Cli, tmp_path: Path, tiny: Tiny) -> None:
    if not (DATA / "bench" / name).is_file():
        pytest.skip(f"no {DATA / 'bench' / name}: set NLPTASKS_TEST_DATA to the folder that holds bench/")
    chosen = ["--model", "embedded"]
    if model == "tiny":  # whose arithmetic, as that of weights for English, depends on what shares a batch
        chosen = [
            "--model",
            f"hf/{tiny('marian')}",
            "--max-batch-tokens",
            "1",
            "--max-new-tokens",
            "4",
            "--limit",
            "80",
        ]
    check_killed_and_resumed(cli, tmp_path, ["eval", task, "--data", DATA / "bench" / name, *chosen], [20])


def test_another_run_is_not_mixed_in(here: Cli, tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", 4)
    assert here(*EVAL, "--output", "run").code == 0
    changed = here(*EVAL, "--output", "run", "--limit", "2")
    assert changed.code == 1
    assert "limit" in changed.err
    assert "--overwrite" in changed.err
    assert here(*EVAL, "--output", "run", "--limit", "2", "--overwrite").code == 0
    assert len(read_rows(tmp_path / "run" / "predictions.jsonl")) == 2


def test_several_models(here: Cli, tmp_path: Path, tiny: Tiny) -> None:
    write_rows(tmp_path / "in.jsonl", 3)
    command = (*EVAL, "--model", f"hf/{tiny('llama')}", "--dtype", "float32", "--max-new-tokens", "4")
    done = here(*command, "--json")
    assert done.code == 0, done.err
    runs = [json.loads(line)["run"] for line in done.out.splitlines()]
    assert ["echo" in runs[0], "llama" in runs[1]] == [True, True]
    listed = json.loads(here("runs", "list", "--json").out)
    assert {one["run"] for one in listed} == set(runs)
    assert all(one["status"] == "success" and one["task"] == "translation" for one in listed)
    refused = here(*command, "--output", "x")
    assert refused.code == 2
    assert "several models" in refused.err


@pytest.mark.parametrize("family", ["llama", "gpt2", "marian"])
def test_a_dry_run_shows_what_the_model_reads(here: Cli, tmp_path: Path, tiny: Tiny, family: str) -> None:
    write_rows(tmp_path / "in.jsonl", 3)
    model = tiny(family)
    done = here("eval", "translation", "--data", "in.jsonl", "--model", f"hf/{model}", "--dry-run", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert "Good morning number 0 to you" in found["messages"][-1]["content"]
    assert "Good morning number" in found["text"]  # a tiny tokenizer does not know every digit
    if family != "marian":
        assert found["text"] == Tokenizer.from_file(str(model / "tokenizer.json")).decode(
            found["token_ids"], skip_special_tokens=False
        )
    assert not (tmp_path / "runs").exists()
    plain = here("eval", "translation", "--data", "in.jsonl", "--model", f"hf/{model}", "--dry-run")
    assert f"{len(found['token_ids'])} tokens:" in plain.out


def test_a_dry_run_where_only_a_server_knows_the_tokens(here: Cli, tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", 3)
    done = here(*EVAL, "--shots", "1", "--dry-run")
    assert done.code == 0
    assert done.out.count("[user]") == 2
    assert done.out.count("[assistant]") == 1


def test_a_benchmark_from_its_own_files(here: Cli, tmp_path: Path) -> None:
    rows = [{"id": f"x{n}", "document": f"Port {n} opened. It is big.", "summary": f"Port {n} opened."} for n in (1, 2)]
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = here("eval", "summarization", "--data", "xsum=test.jsonl", "--model", "embedded", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["run"].startswith("runs/summarization-xsum-embedded-")
    assert "lang:en" in found["results"]["rouge1"]["signature"]
    assert read_json(tmp_path / found["run"] / "run.json")["data"]["benchmark"] == "xsum"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", "none.jsonl"], ["No such file"]),
        (["--data", "wmt14.de-eng"], ["Unknown benchmark", "wmt14.de-en"]),
        (["--data", "squad"], ["nlptasks eval question-answering"]),
        (["--data", "bare.jsonl"], ["row 2 has no reference", "'target'", "--map target=COLUMN"]),
        (["--data", "in.jsonl", "--metrics", "blue"], ["Unknown metric", "bleu"]),
        (["--data", "in.jsonl", "--metrics", "chrf:word_order=two"], ["word_order"]),
        (["--data", "in.jsonl", "--shots", "3"], ["no rows left", "--shots"]),
        (["--data", "in.jsonl", "--shots-from", "in.jsonl"], ["--shots N"]),
        (["--data", "in.jsonl", "--map", "target=x"], ["'x'"]),
        (["--data", "empty.jsonl"], ["no rows"]),
        ([], ["--data"]),
    ],
)
def test_wrong_calls(here: Cli, tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    write_rows(tmp_path / "in.jsonl", 3)
    one, two = (tmp_path / "in.jsonl").read_text().splitlines()[:2]
    (tmp_path / "bare.jsonl").write_text(f"{one}\n{two.replace('target', 'goal', 1)}\n")
    (tmp_path / "empty.jsonl").touch()
    done = here("eval", "translation", "--model", "echo", *arguments)
    assert done.code == 2
    assert done.out == ""
    assert len(done.err.strip().splitlines()) == 1
    for word in words:
        assert word in done.err
    assert not (tmp_path / "runs").exists()


def test_ctrl_c_leaves_a_run_to_resume(tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", 20_000)
    command = [sys.executable, "-m", "nlptasks", *EVAL, "--output", "run"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    output = tmp_path / "run" / "predictions.jsonl"
    while not output.exists() or output.stat().st_size < 10_000:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert len(err.strip().splitlines()) == 1
    assert "same command" in err
    assert read_json(tmp_path / "run" / "run.json")["status"] == "cancelled"


def test_runs_are_listed_and_shown(here: Cli, tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", 3)
    assert here("runs", "list").out == ""
    run = json.loads(here(*EVAL, "--json").out)["run"]
    assert here("run", "translation", "--model", "echo", "-i", "in.jsonl", "-o", "out.jsonl").code == 0
    listed = here("runs", "list")
    assert listed.code == 0
    lines = [line.split("\t") for line in listed.out.splitlines()]
    assert [line[0] for line in lines] == ["out.jsonl.run", run]
    assert lines[1][1:6] == ["success", "translation", "echo", "in.jsonl", "3 samples"]
    assert "bleu" in lines[1][6]
    shown = here("runs", "show", run)
    assert shown.code == 0
    assert "model" in shown.out
    assert "chrf" in shown.out
    assert json.loads(here("runs", "show", "out.jsonl", "--json").out)["counts"]["total"] == 3
    assert here("runs", "list", "runs").out.count("\n") == 1
    for wrong in (("runs", "show", "in.jsonl"), ("runs", "list", "nowhere")):
        done = here(*wrong)
        assert done.code != 0
        assert len(done.err.strip().splitlines()) == 1


def test_help_names_what_there_is(here: Cli) -> None:
    done = here("eval", "summarization", "--help")
    assert done.code == 0
    for word in ("--data", "--shots", "--max-words", "--judge", "--model"):
        assert word in done.out
    assert "--input" not in done.out
