"""The reference is what the code says, and leaves nothing out."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

from docs.generate.settings import LINE, ROW
from nlptasks.backends.factory import options_model
from nlptasks.cli.main import group
from nlptasks.config import ENVIRONMENT, Config
from nlptasks.plugin import registry, spec
from tests.support import ROOT, Cli

REFERENCE = ROOT / "docs/reference"


def page(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text("utf-8")


def test_no_page_is_stale() -> None:
    command = [sys.executable, "-m", "docs.generate", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_hook_has_its_section() -> None:
    hooks = [name for name, one in vars(spec).items() if hasattr(one, "nlptasks_spec")]
    assert {"register_tasks", "before_generate"} <= {*hooks}
    for name in hooks:
        assert f"## {name}\n" in page("hooks")


def _commands(command: click.Command, context: click.Context, called: str) -> Iterator[tuple[str, click.Context]]:
    yield called, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            inner = below.make_context(name, ["--help"], context, resilient_parsing=True)
            yield from _commands(below, inner, f"{called} {name}")


def test_every_flag_of_every_command_and_backend_is_documented() -> None:
    text = page("commands") + page("tasks") + page("backends")
    seen = 0
    for called, context in _commands(group, click.Context(group, info_name="nlptasks"), "nlptasks"):
        if len(called.split()) == 2:
            assert f"## {called}\n" in text
        for option in context.command.get_params(context):
            flags = option.opts if isinstance(option, click.Option) and "--help" not in option.opts else []
            for flag in flags:
                named = flag if f"`{flag}`" in text else re.sub("^--(input|option|backend)-", "--", flag)
                assert f"`{named}`" in text, f"{called} {flag}"
                seen += 1
    for entry in registry().entries("backend"):
        model = options_model(registry().load("backend", entry.spec.name))
        for name in model.model_fields if model else ():
            assert f"`--{name.replace('_', '-')}`" in page("backends")
    assert seen > 300


@pytest.mark.parametrize("kind", ["task", "backend", "metric"])
def test_every_contribution_has_its_section(kind: spec.Kind) -> None:
    for entry in registry().entries(kind):
        assert f"\n## {entry.spec.name}\n" in page(f"{kind}s")


def test_every_key_of_the_settings_file_is_documented() -> None:
    for one in fields(Config):
        assert f"| `{one.name}` |" in page("settings")


def _variables(path: Path) -> Iterator[str]:
    """Yield the names of the environment variables that a module reads."""
    tree = ast.parse(path.read_text("utf-8"))
    constants = {
        target.id: one.value.value
        for one in tree.body
        if isinstance(one, ast.Assign) and isinstance(one.value, ast.Constant)
        for target in one.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="get" | "getenv", value=value), args=[name, *_]):
                read = ast.unparse(value) in ("os.environ", "os")
            case ast.Subscript(value=value, slice=name, ctx=ast.Load()):
                read = ast.unparse(value) == "os.environ"
            case ast.Compare(left=name, ops=[ast.In()], comparators=[value]):
                read = ast.unparse(value) == "os.environ"
            case _:
                continue
        if read and isinstance(name, ast.Constant):
            yield str(name.value)
        elif read and isinstance(name, ast.Name) and name.id in constants:
            yield str(constants[name.id])


def test_every_environment_variable_that_is_read_is_documented() -> None:
    modules = [one for folder in ("nlptasks", "plugins") for one in (ROOT / folder).rglob("*.py")]
    read = {name for one in modules for name in _variables(one)}
    assert {"NLPTASKS_MODEL", "NLPTASKS_PLUGINS", "NO_COLOR", "_NLPTASKS_COMPLETE"} <= read
    assert read <= {*ENVIRONMENT}
    for name in ENVIRONMENT:
        assert f"| `{name}` |" in page("settings")


def test_files_have_the_fields_that_are_documented(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"document": "It rains."}\n{"document": 7}\n')
    done = cli("run", "summarization", "--input", "in.jsonl", "--output", "out.jsonl")
    assert done.code == 3
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    added = {name for row in rows for name in row} - {"document"}
    assert added == {*ROW}
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl.run/samples.jsonl").read_text("utf-8").splitlines()]
    assert {name for line in lines for name in line} == {*LINE}
    assert "| `results` |" in page("files")
    assert {
        f"| `{name}` |" in page("files") for name in json.loads((tmp_path / "out.jsonl.run/run.json").read_text())
    } == {True}
