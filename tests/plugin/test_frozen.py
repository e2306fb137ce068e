"""A wheel built when contract 1 was made, which uses all of it, goes on working: whoever breaks it makes contract 2.

The wheel is never built again. Its source, and the contract's tests as authors wrote them then, lie inside it.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import Cli

WHEEL = Path(__file__).parent / "frozen" / "nlptasks_frozen-1.0-py3-none-any.whl"
SHA256 = "8ede2f0323fa3453c7fd8a7d52c461f390d20aa88665dc2b1fa2ae9641b9ecd1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the wheel is installed."""
    pytest.importorskip("pip", reason="the wheel is installed by pip")
    folder = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--target", str(folder), str(WHEEL)]
    subprocess.run([*command, "--quiet", "--disable-pip-version-check"], check=True)
    return folder


@pytest.fixture(autouse=True)
def _found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *([known] if known else [])]))


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_it_is_the_wheel_of_then() -> None:
    assert hashlib.sha256(WHEEL.read_bytes()).hexdigest() == SHA256


def test_it_loads_with_all_that_it_contributes(cli: Cli) -> None:
    done = cli("plugins", "list", "--json")
    assert (done.code, done.err) == (0, "")
    [frozen] = [one for one in json.loads(done.out) if one["name"] == "frozen"]
    assert (frozen["state"], frozen["contract"], frozen["version"]) == ("loaded", 1, "1.0")
    assert frozen["contributes"] == [
        "task frozen-title",
        "backend frozen-backwards",
        "backend frozen-lost",
        "metric frozen-overlap",
        "benchmark frozen-titles",
        "command frozen-hello",
        "guard",
        "observer",
    ]


def test_the_list_for_people_is_short(cli: Cli) -> None:
    listed = {row[0]: row[1:] for row in (line.split("\t") for line in cli("plugins", "list").out.splitlines())}
    distribution, version, state, _, contributes = listed["frozen"]
    assert (distribution, version, state) == ("nlptasks-frozen", "1.0", "loaded")
    assert contributes.startswith("task frozen-title, backend frozen-backwards, backend frozen-lost, ")
    assert contributes.endswith(", command frozen-hello, guard, observer")
    assert listed["summarization"][4] == "task summarization, 6 benchmarks"


def test_its_own_tests_pass(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--pyargs", "nlptasks_frozen"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_its_verb_and_options(cli: Cli) -> None:
    text = ["--text", "eins zwei drei vier"]
    done = cli("frozen-title", *text, "--model", "frozen-backwards/any", "--words", "3", "--mark", "!", "--tags", "x")
    assert (done.code, done.out, done.err) == (0, "x reiv ierd iewz!\n", "the title was cut\n")
    done = cli("frozen-title", "--text", "abc", "--model", "echo", "--case", "upper", "--json")
    assert json.loads(done.out)["output"] == {"title": "ABC", "cut": False}
    assert cli("frozen-hello", "you").out == "hello you\n"
    done = cli("run", "text-generation", "x", "--model", "frozen-lost")
    plugin = "The backend 'frozen-lost' of plugin 'frozen' (nlptasks-frozen 1.0)"
    assert (done.code, done.err) == (1, f"error: {plugin} needs an extra: pip install 'nlptasks-frozen[lost]'\n")


def test_its_guard_and_its_observer(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"id": "1", "text": "Rumpelstilzchen"}\n{"id": "2", "text": "abc"}\n')
    model = ["--model", "frozen-backwards/any"]
    done = cli("run", "frozen-title", *model, "--input", "in.jsonl", "--output", "out.jsonl")
    assert done.code == 0, done.err
    assert done.err.startswith("warning: frozen: a run of 2 samples, 0 failed\n")
    assert [row["prediction"] for row in rows(tmp_path / "out.jsonl")] == ["nehczlitslepmuR", "cba"]
    sent = [
        exchange["messages"] for row in rows(tmp_path / "out.jsonl.run/samples.jsonl") for exchange in row["exchanges"]
    ]
    assert "<NAME>" in str(sent)
    assert "Rumpelstilzchen" not in str(sent)
    done = cli("chat", "Rumpelstilzchen", *model)
    assert (done.code, done.out.strip()) == (0, "nehczlitslepmuR")


def test_its_metric_and_its_benchmark(cli: Cli, tmp_path: Path) -> None:
    row = {"id": "a", "body": {"text": "abc"}, "titles": ["cba", "CBX"]}
    (tmp_path / "published.jsonl").write_text(json.dumps(row) + "\n")
    model = ["--model", "frozen-backwards/any", "--json"]
    done = cli("eval", "frozen-title", "--data", "frozen-titles=published.jsonl", *model)
    assert done.code == 0, done.err
    results = json.loads(done.out)["results"]
    assert {part: one["value"] for part, one in results.items()} == pytest.approx({"f1": 250 / 3, "missing": 50 / 3})
    assert results["f1"]["signature"] == "frozen-overlap|v:2|fold:true"
