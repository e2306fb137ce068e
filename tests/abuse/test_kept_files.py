"""Damaged files of nlptasks' own: a run goes on and ends as an undisturbed one, or is refused in one line."""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptasks import config
from nlptasks.backends.base import Answer
from nlptasks.backends.cached import Cached, Store
from nlptasks.cli.main import _run
from nlptasks.plugin import state
from nlptasks.records import Completion
from tests.abuse.damage import content, damaged, fuzzed, orderly
from tests.abuse.test_command_line import streams, told
from tests.backends.scripted import Recording, request

ROWS = "".join(json.dumps({"id": f"r{n}", "document": f"Satz {n} über 你好."}) + "\n" for n in range(6)).encode()
RUN = ["run", "summarization", "-i", "in.jsonl", "-o", "out.jsonl", "-m", "echo"]
EVAL = ["eval", "summarization", "-d", "refs.jsonl", "-m", "echo", "-o", "eval", "--metrics", "exact_match"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, and with an evaluation."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "in.jsonl").write_bytes(ROWS)
    lines = [json.loads(line) for line in ROWS.splitlines()]
    (folder / "refs.jsonl").write_text("".join(json.dumps({**one, "summary": "x"}) + "\n" for one in lines), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert say(RUN) == say(EVAL) == (0, "")
    return folder


@pytest.fixture
def folder(undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def say(words: list[str]) -> tuple[int, str]:
    """Return the exit code of a command, and what is wrong with what it said."""
    with streams() as (_, err):
        code = _run([*words], traceback=False)
    said = told(err)
    return code, said if "Traceback" in said or "This is a mistake" in said else ""


def again(undisturbed: Path, folder: Path) -> None:
    """Make the folder what it was."""
    for one in folder.iterdir():
        shutil.rmtree(one) if one.is_dir() else one.unlink()
    shutil.copytree(undisturbed, folder, dirs_exist_ok=True)


FILES = ("out.jsonl", "out.jsonl.run/samples.jsonl", "out.jsonl.run/run.json")


@pytest.mark.parametrize("name", FILES)
def test_a_run_is_taken_up_whole_or_refused(name: str, undisturbed: Path, folder: Path) -> None:
    whole = (undisturbed / name).read_bytes()

    @fuzzed
    @given(st.one_of(damaged(whole), st.integers(0, len(whole)).map(lambda end: whole[:end])))
    def check(data: bytes) -> None:
        again(undisturbed, folder)
        (folder / name).write_bytes(data)
        for words in (["runs", "list"], ["runs", "list", "."], ["runs", "show", "out.jsonl"]):
            assert say(words)[1] == ""
        code, wrong = say(RUN)
        assert wrong == ""
        assert (folder / "in.jsonl").read_bytes() == ROWS
        if code:
            assert (folder / name).read_bytes() == data, "what is refused is left as it is"
        else:
            assert (folder / "out.jsonl").read_bytes() == (undisturbed / "out.jsonl").read_bytes()

    check()


EVALUATED = ("predictions.jsonl", "samples.jsonl", "run.json")


@pytest.mark.parametrize("name", EVALUATED)
def test_a_damaged_evaluation_is_shown_or_refused(name: str, undisturbed: Path, folder: Path) -> None:
    @fuzzed
    @given(damaged((undisturbed / "eval" / name).read_bytes()))
    def check(data: bytes) -> None:
        again(undisturbed, folder)
        (folder / "eval" / name).write_bytes(data)
        for words in (
            ["runs", "show", "eval"],
            ["runs", "report", "eval"],
            ["score", "eval"],
            ["compare", "eval", "eval"],
        ):
            assert say(words)[1] == "", words

    check()


def test_a_damaged_cache_gives_no_wrong_answer(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    asked = [request(f"text {number}") for number in range(8)]

    def ask() -> list[Answer]:
        with Cached(Recording(), Store(path)) as backend:
            return list(backend.complete(asked))

    expected = [one.text for one in ask() if isinstance(one, Completion)]
    for one in tmp_path.glob("cache.sqlite-*"):
        one.unlink()
    whole = path.read_bytes()

    @fuzzed
    @given(damaged(whole))
    def check(data: bytes) -> None:
        for one in tmp_path.glob("cache.sqlite*"):
            one.unlink()
        path.write_bytes(data)
        assert [one.text for one in ask() if isinstance(one, Completion)] == expected

    check()


def test_a_damaged_entry_of_the_cache_is_none(tmp_path: Path) -> None:
    path, asked = tmp_path / "cache.sqlite", request("a text")
    with Cached(Recording(), Store(path)) as backend:
        [expected] = backend.complete([asked])
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            [(whole,)] = other.execute("SELECT value FROM completions").fetchall()

            @fuzzed
            @given(damaged(whole.encode()))
            def check(data: bytes) -> None:
                value = data.decode("utf-8", "replace")
                other.execute("UPDATE completions SET value = ?", [value])
                [answer] = backend.complete([asked])
                assert isinstance(answer, Completion)
                assert replace(answer, cached=False) == expected

            check()


SETTINGS = b'model = "echo"\ncache = true\nrequired_plugins = ["a", "b"]\n\n[backends.openai]\nconcurrency = 3\n'


@fuzzed
@given(content(SETTINGS))
def test_settings(data: bytes) -> None:
    file = state.config_directory() / config.FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    orderly(config.load)
    file.unlink()


@fuzzed
@given(content(b"keywords\npii\n"))
def test_plugins_that_are_switched_off(data: bytes) -> None:
    file = state.config_directory() / "disabled-plugins.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    orderly(state.set_disabled, "another", True)
    assert "another" in state.disabled()
    file.unlink()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """What is warned of is of no interest here."""
    log = logging.getLogger("nlptasks")
    before, log.propagate = log.propagate, False
    yield
    log.propagate = before
