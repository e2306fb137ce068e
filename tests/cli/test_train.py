"""``train``: one command to a model, one line for every mistake."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nlptasks.cli.main import main
from tests.conftest import Tiny
from tests.support import Cli, Outcome
from tests.training.conftest import write

ROWS: list[dict[str, Any]] = [
    {"prompt": f"{name} saw", "reference": "a river"} for name in ("Anna", "Bert", "Emma", "Hans")
]
FAST = ("--max-steps", 2, "--device", "cpu")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cli:
    """Run the command line in this process, which spares it the imports."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "in.jsonl", ROWS)

    def run(*arguments: object) -> Outcome:
        with pytest.raises(SystemExit) as left:
            main(["train", *(str(one) for one in arguments)])
        said = capfd.readouterr()
        return Outcome(int(left.value.code or 0), said.out, said.err)

    return run


def test_a_model_is_trained_once_and_other_settings_are_named(here: Cli, tiny: Tiny, tmp_path: Path) -> None:
    command = ("text-generation", "--data", "in.jsonl", "--model", f"hf/{tiny('gpt2')}", "--output", "out", *FAST)
    first = here(*command, "--license", "CC0-1.0")
    assert (first.code, first.out, first.err) == (0, "", "2 updates -> --model hf/out\n")
    card = (tmp_path / "out/README.md").read_text("utf-8")
    assert 'license: "CC0-1.0"' in card
    assert "| max_steps | 2 |" in card
    assert "trained already" in here(*command).err
    other = here(*command, "--learning-rate", "0.1")
    assert (other.code, other.err.count("\n")) == (1, 1)
    assert "options.learning_rate" in other.err
    assert "--overwrite" in other.err
    assert here(*command, "--learning-rate", "0.1", "--overwrite").code == 0


def test_json_tells_the_loss_curve_and_the_scores(here: Cli, tiny: Tiny, tmp_path: Path) -> None:
    write(tmp_path / "sums.jsonl", [{"document": "Anna saw a river.", "summary": "a river"}] * 4)
    given = ("--data", "sums.jsonl=0.5", "--eval", "sums.jsonl", "--eval-limit", 1, "--max-new-tokens", 4, "--json")
    done = here("summarization", *given, "--model", f"hf/{tiny('gpt2')}", "--full", "--output", "out", *FAST)
    assert done.code == 0, done.err
    report = json.loads(done.out)
    assert report["model"] == "hf/out"
    assert "rougeL" in report["scores"]
    assert report["steps"] == 2
    assert "after" in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--data", "in.jsonl"], 2, "Say what to begin with"),
        (["--data", "in.jsonl", "--config", "tiny"], 2, "--config goes with --from-scratch"),
        (["--model", "hf/MODEL"], 2, "name a file with --data"),
        (["--data", "in.jsonl", "--model", "echo"], 2, "name a local model"),
        (["--data", "nothing.jsonl", "--model", "hf/MODEL"], 2, "No such file"),
        (["--data", "in.jsonl=-1", "--model", "hf/MODEL"], 2, "a weight must be above 0"),
        (["--data", "in.jsonl", "--model", "hf/MODEL", "--epochs", "0"], 2, "epochs"),
        (["--data", "in.jsonl", "--model", "hf/MODEL", "--eval", "in.jsonl"], 2, "no metric of its own"),
        (["--data", "latin.jsonl", "--model", "hf/MODEL"], 2, "none of its rows"),
        (["--data", "other.jsonl", "--model", "hf/MODEL"], 2, "no column 'prompt'"),
        (["--data", "empty.jsonl", "--model", "hf/MODEL"], 2, "'reference' is empty"),
        (["--data", "long.jsonl", "--model", "hf/MODEL"], 2, "too long for --max-length"),
    ],
)
def test_a_mistake_is_one_line(
    here: Cli, tiny: Tiny, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    (tmp_path / "latin.jsonl").write_bytes('{"prompt": "Größe", "reference": "x"}\n'.encode("latin-1"))
    write(tmp_path / "other.jsonl", [{"question": "?", "reference": "x"}])
    write(tmp_path / "empty.jsonl", [{**row, "reference": " "} for row in ROWS])
    write(tmp_path / "long.jsonl", [{"prompt": "word " * 5000, "reference": "x"}])
    given = [one.replace("MODEL", str(tiny("gpt2"))) for one in arguments]
    done = here("text-generation", *given, "--output", "out")
    assert (done.code, done.err.count("\n")) == (code, 1), done.err
    assert words in done.err


def test_a_task_that_a_model_cannot_learn_is_refused_before_anything_is_written(
    here: Cli, tiny: Tiny, tmp_path: Path
) -> None:
    done = here("translation", "--data", "in.jsonl", "--model", f"hf/{tiny('bert-qa')}", "--output", "out")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "learns question-answering only" in done.err
    assert not (tmp_path / "out").exists()


def test_a_folder_with_something_else_in_it_is_left_alone(here: Cli, tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("years of work", "utf-8")
    model = ("--model", f"hf/{tiny('gpt2')}")
    done = here("text-generation", "--data", "in.jsonl", *model, "--output", "out", "--overwrite")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "holds other files" in done.err
    assert (tmp_path / "out/thesis.txt").read_text("utf-8") == "years of work"
