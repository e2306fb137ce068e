"""The third-party packages of the documentation, as their users have them: installed, used, uninstalled."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Tiny
from tests.examples.environment import EXAMPLES, PACKAGES, Environment
from tests.support import Outcome

Use = Callable[..., Outcome]
WITHOUT_CTRANSLATE2 = pytest.mark.skipif(find_spec("ctranslate2") is None, reason="pip install ctranslate2")


@pytest.fixture
def use(installed: Environment, tmp_path: Path) -> Use:
    """Run the command line of the environment in an empty folder."""
    return lambda *arguments: installed.nlptasks(*arguments, cwd=tmp_path)


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def read_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=WITHOUT_CTRANSLATE2 if "ctranslate2" in name else ()) for name in PACKAGES]
)
def test_its_own_tests_pass(name: str, installed: Environment) -> None:
    done = installed.run("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=EXAMPLES / name)
    assert done.code == 0, done.out + done.err
    assert " passed" in done.out


def test_they_are_listed(use: Use) -> None:
    found = {one["name"]: one for one in json.loads(use("plugins", "list", "--json").out)}
    assert {found[name.removeprefix("nlptasks-")]["distribution"] for name in PACKAGES} == set(PACKAGES)
    assert {one["state"] for one in found.values()} == {"loaded"}
    assert found["keywords"]["contributes"] == ["task keywords", "metric keyword_f1"]
    assert found["ctranslate2"]["contributes"] == ["backend ctranslate2"]
    help_text = use("--help").out
    assert "keywords" in help_text
    assert "name what a text is about" in help_text


def test_a_task_of_ones_own_has_all_that_ours_have(use: Use, tmp_path: Path) -> None:
    assert "--max-keywords" in use("keywords", "--help").out
    done = use("keywords", "--text", "- wind power\n- grid", "--model", "echo")
    assert (done.code, done.out) == (0, "wind power; grid\n"), done.err
    write_rows(
        tmp_path / "in.jsonl",
        [{"text": "wind power; price", "keywords": ["wind power", "grid"]}, {"text": "渡轮；港口", "keywords": "港口"}],
    )
    done = use("run", "keywords", "-i", "in.jsonl", "-o", "out.jsonl", "--model", "echo")
    assert done.code == 0, done.err
    assert [row["prediction"] for row in read_rows(tmp_path / "out.jsonl")] == ["wind power; price", "渡轮; 港口"]
    done = use("eval", "keywords", "--data", "in.jsonl", "--model", "echo", "--json")
    assert done.code == 0, done.err
    results = json.loads(done.out)["results"]
    assert results["precision"]["value"] == pytest.approx(50)
    assert results["recall"]["value"] == pytest.approx(75)


@WITHOUT_CTRANSLATE2
@pytest.mark.parametrize(
    ("family", "arguments"),
    [
        ("marian", ["translate", "--text", "Good morning.", "--from", "en", "--to", "de"]),
        ("t5", ["summarize", "--text", "The ferry is new. It is quiet."]),
        ("llama", ["chat", "今天天气怎么样？"]),
    ],
)
def test_a_backend_of_ones_own_does_our_tasks(family: str, arguments: list[str], tiny: Tiny, use: Use) -> None:
    done = use(*arguments, "--model", f"ctranslate2/{tiny(family)}", "--device", "cpu", "--max-new-tokens", 8, "--json")
    assert done.code == 0, done.err
    assert done.err == ""
    assert json.loads(done.out)["usage"]["completion_tokens"] > 0


def test_a_guard_restores_what_it_hid(use: Use) -> None:
    done = use("chat", "Call 030 1234567!", "--model", "echo", "--json")
    assert json.loads(done.out)["prediction"] == "Call 030 1234567!"
    assert json.loads(done.out)["usage"]["prompt_tokens"] == len("Call [PHONE_1]!")


def state(environment: Environment, folder: Path) -> Mapping[str, Any]:
    """Return all that a plugin could have changed."""
    files = (path for path in environment.packages.rglob("*") if path.is_file() and path.suffix != ".pyc")
    lists = [("plugins", "list"), ("tasks", "list"), ("backends", "list"), ("metrics", "list")]
    shown = {one: environment.nlptasks(*one, "--json", cwd=folder) for one in lists}
    listed = {one: json.loads(done.out) for one, done in shown.items()}
    for plugin in listed["plugins", "list"]:
        plugin["seconds"] = 0
    return {
        "files": sorted(str(path.relative_to(environment.packages)) for path in files),
        "help": environment.nlptasks("--help", cwd=folder),
        "errors": [done.err for done in shown.values()],
        **{" ".join(one): value for one, value in listed.items()},
    }


def test_uninstalled_all_is_as_before(wheels: Mapping[str, Path], tmp_path: Path) -> None:
    environment = Environment.create(tmp_path / "venv")
    environment.install(wheels["nlptasks"])
    before = state(environment, tmp_path)
    environment.install(*(wheels[name] for name in PACKAGES))
    changed = state(environment, tmp_path)
    assert {name for name in before if changed[name] != before[name]} == before.keys() - {"errors"}
    environment.uninstall(*PACKAGES)
    assert state(environment, tmp_path) == before
