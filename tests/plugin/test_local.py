"""Single-file plugins: ``--plugin-file x.py``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import Cli

WHOLE = """
import re
from dataclasses import replace
from pydantic import BaseModel
from nlptasks import Backend, Completion, Message, Request, Spec, Task, hookimpl

@hookimpl
def register_tasks():
    return [Spec("reverse", "mine:Reverse", "backwards", verb="turn")]

@hookimpl
def register_backends():
    return [Spec("shout", "mine:load", "upper case")]

@hookimpl
def before_generate(request):
    return request.map_text(lambda text: text.replace("Ada", "someone")), "Ada"

@hookimpl
def after_generate(completion, state):
    return replace(completion, text=completion.text.replace("SOMEONE", state))

class Text(BaseModel):
    text: str

class Options(BaseModel):
    suffix: str = ""

class Reverse(Task[Text, Options, Text]):
    name = "reverse"
    Input, Options, Output = Text, Options, Text

    def prompt(self, sample, options):
        return Request((Message("user", sample.input.text + options.suffix),))

    def parse(self, sample, completion):
        return Text(text=completion.text[::-1])

class Shout(Backend):
    def complete(self, requests):
        return [Completion(request.messages[-1].content.upper()) for request in requests]

def load(model: str) -> Shout:
    return Shout()
"""


def test_one_file_holds_a_task_a_backend_and_a_guard(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(WHOLE)
    done = cli("--plugin-file", "mine.py", "run", "reverse", "Ada ab", "--suffix", "!", "--model", "shout")
    assert (done.code, done.out, done.err) == (0, "!BA adA\n", "")
    done = cli("--plugin-file", "mine.py", "tasks", "list", "--json")
    assert {"name": "reverse", "summary": "backwards", "plugin": "mine", "distribution": "mine.py", "verb": "turn"} in (
        json.loads(done.out)
    )


@pytest.mark.parametrize(
    ("name", "code", "exit_code", "message"),
    [
        ("absent.py", None, 2, "No such file: mine/absent.py"),
        ("bad-name.py", "", 1, "name it like a Python module, such as my_plugin.py"),
        ("notes.txt", "", 1, "name it like a Python module, such as my_plugin.py"),
        ("json.py", "", 1, "a module named 'json' exists already: rename the file"),
        ("decimal.py", "", 1, "a module named 'decimal' exists already: rename the file"),
        ("chat.py", "", 1, "the name 'chat' is taken by 'chat' (nlptasks"),
        ("broken.py", "import nowhere_to_be_found", 1, "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("broken.py", "def x(:", 1, "SyntaxError: invalid syntax"),
        ("broken.py", "print('loud'); raise SystemExit(0)", 1, "it called sys.exit(0)"),
        ("broken.py", "from nlptasks import hookimpl\n@hookimpl\ndef register_tsks(): pass", 1, "unknown hook"),
    ],
)
def test_a_file_that_does_not_load_is_one_line(
    name: str, code: str | None, exit_code: int, message: str, cli: Cli, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    if code is not None:
        (folder / name).write_text(code)
    done = cli("--plugin-file", f"mine/{name}", "tasks", "list")
    assert (done.code, done.out) == (exit_code, "")
    [line] = done.err.replace("loud\n", "").splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert name in line


def test_the_same_file_twice_is_one_too_many(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(WHOLE)
    done = cli("--plugin-file", "mine.py", "--plugin-file", "mine.py", "tasks", "list")
    assert done.code == 1
    assert done.err.endswith("the name 'mine' is taken by 'mine' (mine.py)\n")


def test_a_verb_of_a_file_is_there_for_use_and_for_help(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(WHOLE)
    assert "turn" in cli("--plugin-file", "mine.py", "--help").out
    done = cli("--plugin-file", "mine.py", "turn", "abc", "--model", "echo")
    assert (done.code, done.out, done.err) == (0, "cba\n", "")
