"""Any words on the command line: a known exit code, at most a line of error, and no file that was there is changed."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptasks.cli.exits import Exit
from nlptasks.cli.main import _run, group
from tests.abuse.damage import fuzzed
from tests.abuse.test_reading import LINES, TABLE
from tests.support import Cli

VERBS = [
    *(["summarize"], ["translate"], ["qa"], ["chat"], ["run", "summarization"], ["run", "text-generation"], ["run"]),
    *(
        ["score"],
        ["compare"],
        ["runs", "list"],
        ["runs", "show"],
        ["runs", "report"],
        ["tasks", "list"],
        ["tasks", "show"],
    ),
    *(["backends", "show"], ["metrics", "show"], ["benchmarks", "show"], ["plugins", "list"], ["plugins", "check"]),
    *(["plugins", "disable"], ["plugins", "enable"], ["plugins", "new"], ["cache", "info"], ["explain"], []),
    *(["eval", "summarization"], ["eval"], ["train"], ["serve", "--help"], ["train", "summarization", "--help"]),
]
"""All but ``serve`` itself, which would go on, and training itself."""
FLAGS = [
    *("--input", "--output", "-o", "--text", "--model", "-m", "--map", "--limit", "--json", "--system", "--prompt"),
    *("--log-content", "--max-new-tokens", "--temperature", "--seed", "--stop", "--schema", "--to", "--from"),
    *("--context", "--data", "--metrics", "--by", "--shots", "--epochs", "--predictions", "--references", "--lang"),
    *("--help", "-h", "--version", "--traceback", "--plugin-file", "--engine", "--length", "--max-words", "--glossary"),
    *("--dry-run", "--no-cache", "--", "-", "--extra", "--base-url", "--concurrency", "--", "--max-error-rate"),
]
WORDS = [
    *("rows.jsonl", "rows.csv", "text.txt", "folder", "out.jsonl", "new.jsonl", "nothing.jsonl", "nosuch/x.jsonl", "."),
    *("echo", "embedded", "hf/nosuch", "openai/x", "nosuch", "de", "zh", "klingon", "document=document", "a=b", "="),
    *("0", "-1", "3", "1e9", "nan", "rouge", "chrf:word_order=2", "rouge:x=y", "full", "bullets", "{}", "[", "{{ x }}"),
    *("{% for %}", "", " ", "\n", "你好", "\udcff", "--=", "@", "%", "summarization", "chat", "ray", "~", "*"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with things in it, as the current one."""
    for name, data in {
        "rows.jsonl": LINES,
        "rows.csv": TABLE,
        "text.txt": b"Ein Text.",
        "out.jsonl": b"mine\n",
    }.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.txt").write_text("Noch ein Text.", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NLPTASKS_MODEL", "echo")
    return tmp_path


@contextlib.contextmanager
def streams() -> Iterator[tuple[Any, Any]]:
    """Stand-ins for stdin, stdout and stderr."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogateescape", write_through=True) for _ in range(2))
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(b""), "utf-8")
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            yield out, err
    finally:
        sys.stdin = before


def told(stream: Any) -> str:
    return str(stream.buffer.getvalue().decode("utf-8", "replace"))


def kept(folder: Path) -> dict[str, bytes]:
    """Return the files that were there."""
    names = ("rows.jsonl", "rows.csv", "text.txt", "out.jsonl", "folder/a.txt")
    return {name: (folder / name).read_bytes() for name in names}


def test_any_words(folder: Path) -> None:
    before = kept(folder)

    @fuzzed
    @given(
        st.sampled_from(VERBS),
        st.lists(
            st.sampled_from(FLAGS)
            | st.sampled_from(WORDS)
            | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6),
            max_size=7,
        ),
    )
    def check(verb: Sequence[str], words: Sequence[str]) -> None:
        if "embedded" in words or (verb[:1] == ["train"] and "--help" not in (*verb, *words)):
            return  # they would load models
        with streams() as (_, err):
            code = _run([*verb, *(word for word in words if word != "--traceback")], traceback=False)
        said = told(err)
        assert code in set(Exit) | {0, 1, 2}, said
        assert "This is a mistake in nlptasks" not in said
        assert "Traceback" not in said
        if code:
            assert said.strip()
        assert kept(folder) == before, "nothing that was there is changed"

    check()


def test_the_verbs_are_those_there_are() -> None:
    context = click.Context(group)
    for verb in VERBS:
        assert not verb or group.get_command(context, verb[0])


DEEP = "[" * 5000


@pytest.mark.parametrize(
    "words",
    [
        ["chat", "Hi", "--schema", "deep.json"],
        ["eval", "summarization", "--data", "deep.json"],
        [
            "train",
            "text-generation",
            "--from-scratch",
            "--config",
            "deep.json",
            "--data",
            "deep.json",
            "--output",
            "out",
        ],
        ["plugins", "check", "."],
        ["chat", "Hi", "--model", "hf/./adapter"],
        ["chat", "Hi", "--model", "hf/./model"],
        ["chat", "Hi", "--prompt", "deep.txt"],
        ["score", "summarization", "--predictions", "deep.json"],
        ["runs", "show", "deep.run"],
    ],
    ids=lambda words: " ".join(words)[:40],
)
def test_what_nests_too_deeply_is_said_in_a_line(cli: Cli, tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "deep.json").write_text(DEEP)
    (tmp_path / "deep.txt").write_text("{{ " + "(" * 5000)
    (tmp_path / "pyproject.toml").write_text("a = " + DEEP)
    for folder, file in (("adapter", "adapter_config.json"), ("model", "config.json"), ("deep.run", "run.json")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).write_text(DEEP)
    done = cli(*words)
    assert done.code in (1, 2)
    assert len(done.err.splitlines()) == 1
    assert "mistake in nlptasks" not in done.err
