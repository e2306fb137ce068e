"""The shape of the project: who may import whom, what is public, and that nothing is stale."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import nlptasks

ROOT = Path(__file__).parent.parent

FLOORS = [
    {"errors", "records", "text", "selection", "fields", "seal"},
    {"backends.base", "tasks"},
    {"plugin"},
    {"backends", "config", "metrics"},
    {"data", "benchmarks", "journal", "runs", "engine", "batch"},
    {"job", "api", "pipelines"},
    {"evaluation", "explain", "training.options"},
    {"training"},
    {"testing", "scaffold"},
    {"server"},
    {"cli", "checking", "__main__"},
]
"""Modules of nlptasks from the ground up; no arrow runs back up."""


def _floor(module: str) -> int:
    name = module.removeprefix("nlptasks.")
    parts = [name, *(name.rsplit(".", depth)[0] for depth in range(1, name.count(".") + 1))]
    for part in parts:
        for number, floor in enumerate(FLOORS):
            if part in floor:
                return number
    raise AssertionError(f"{module} has no floor")


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", _modules("nlptasks"), ids=_name)
def test_no_module_imports_a_plugin_or_a_higher_floor(path: Path) -> None:
    plugins = {folder.name for folder in (ROOT / "plugins").iterdir()}
    for imported in _imports(path):
        assert imported.split(".")[0] not in plugins
        if imported.startswith("nlptasks.") and path != ROOT / "nlptasks/__init__.py":
            target = imported if (ROOT / (imported.replace(".", "/") + ".py")).exists() else imported.rsplit(".", 1)[0]
            if target != "nlptasks":
                assert _floor(target) <= _floor(_name(path)), f"{_name(path)} imports {target} from a higher floor"


@pytest.mark.parametrize("path", _modules("plugins"), ids=_name)
def test_a_plugin_imports_no_other_plugin_and_nothing_private(path: Path) -> None:
    own = path.relative_to(ROOT / "plugins").parts[0]
    for imported in _imports(path):
        top, *rest = imported.split(".")
        assert not top.startswith("nlptasks_") or top == own
        if top == "nlptasks":
            assert not any(part.startswith("_") for part in rest)


def test_all_public_names_are_there_and_documented() -> None:
    for name in nlptasks.__all__:
        thing = getattr(nlptasks, name)
        if isinstance(thing, type) or callable(thing):
            assert thing.__doc__, f"nlptasks.{name} has no docstring"
    assert dir(nlptasks) == nlptasks.__all__
    with pytest.raises(AttributeError):
        nlptasks.no_such_name  # noqa: B018


def test_type_checkers_see_the_same_public_names() -> None:
    tree = ast.parse((ROOT / "nlptasks/__init__.py").read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    declared = {alias.asname for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert declared == set(nlptasks.__all__)


def test_importing_nlptasks_imports_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import nlptasks; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [name for name in done.stdout.split() if "." in name and name.startswith("nlptasks")] == []


def test_every_error_stands_in_the_drawn_tree() -> None:
    from nlptasks import errors

    names = {name for name, thing in vars(errors).items() if isinstance(thing, type) and issubclass(thing, Exception)}
    assert names == {word for word in (errors.__doc__ or "").split() if word.endswith("Error")}


@pytest.mark.parametrize("tool", [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]], ids=" ".join)
def test_static_checks_are_clean(tool: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *tool], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_changelog_knows_this_version() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text("utf-8")
    version = pyproject.partition('version = "')[2].partition('"')[0]
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_every_dependency_says_what_it_is_for() -> None:
    lines = (
        (ROOT / "pyproject.toml").read_text("utf-8").partition("dependencies = [")[2].partition("[project.scripts]")[0]
    )
    for line in lines.splitlines():
        if line.strip().startswith('"') and "nlptasks[" not in line:
            assert "#" in line, line
