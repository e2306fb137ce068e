"""Every code block of README and docs runs, or at least says what exists."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import zip_longest
from pathlib import Path

import pytest
import yaml

from tests.conftest import Tiny
from tests.docs.blocks import NEEDS, SETTING_UP, Block, Workspace, blocks, nlptasks_calls
from tests.docs.spoken_of import provide
from tests.support import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

GENERATED = ROOT / "docs/reference"
EXAMPLES = ROOT / "docs/examples"
"""Packages: their own tests run them, and what their pages call is looked up with the package installed."""
SHOWN_ELSEWHERE = {"explain.md"}
"""Pages whose outputs hold numbers of a model that is trained on the spot: tests/explain compares those."""
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").rglob("*.md"))]
LANGUAGES = {"bash", "console", "python", "toml", "json", "jsonl", "text", "jinja", "yaml", "dockerfile"}


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_blocks_are_well_formed(page: Path) -> None:
    for block in blocks(page):
        assert block.language in LANGUAGES, block
        assert block.marks <= {*NEEDS, "sum"}, block
        if block.language == "bash":
            done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
            assert done.stderr == ""
        elif block.language == "python" and GENERATED not in page.parents:
            compile(block.text, name(page), "exec")
        elif block.language == "toml":
            tomllib.loads(block.text)
        elif block.language == "yaml":
            assert all(yaml.safe_load_all(block.text))
        elif block.language in ("json", "jsonl"):
            for text in block.text.splitlines() if block.language == "jsonl" else [block.text]:
                json.loads(text)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", [page for page in PAGES if GENERATED not in page.parents], ids=name)
def test_blocks_run(page: Path, tmp_path: Path, tiny: Tiny) -> None:
    workspace, waiting = Workspace(tmp_path), []
    if page.parent == ROOT:
        provide(workspace, tiny)
    if EXAMPLES in page.parents:
        workspace.run("pip", "install", str(page.parent))
    for block in blocks(page):
        if block.title:
            workspace.write(block.title, block.text)
        if block.runs and not block.title and EXAMPLES not in page.parents:
            _run(block, workspace, compared=page.name not in SHOWN_ELSEWHERE)
        else:
            waiting += [call for line in block.commands for call in nlptasks_calls(line)]
    if waiting:
        done = workspace.run(sys.executable, str(Path(__file__).with_name("parse_calls.py")), json.dumps(waiting))
        assert (done.returncode, done.stdout) == (0, "")


def _run(block: Block, workspace: Workspace, compared: bool) -> None:
    if block.language == "bash":
        done = workspace.run("bash", "-euo", "pipefail", "-c", block.text)
        assert done.returncode == 0, f"{block.text}\n{done.stdout}"
    elif block.language == "python":
        done = workspace.run(sys.executable, "-c", block.text)
        assert done.returncode == 0, f"{block.text}\n{done.stdout}"
    elif block.language == "console" and compared:
        _compare(block.text, workspace)


def _compare(text: str, workspace: Workspace) -> None:
    """Run what stands behind ``$`` and compare what it says with what is shown; ``…`` stands for anything."""
    for shown in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, expected = shown.partition("\n")
        done = workspace.run("bash", "-uo", "pipefail", "-c", command)
        for want, line in zip_longest(expected.splitlines(), done.stdout.splitlines(), fillvalue=""):
            pattern = ".*".join(re.escape(part) for part in want.rstrip().split("…"))
            assert re.fullmatch(pattern, line.rstrip()), f"$ {command}\n{done.stdout}"


def test_what_sets_up_from_nothing_is_run_by_ci() -> None:
    blocks_ = [block for block in blocks(ROOT / "README.md") if SETTING_UP in block.text]
    assert len(blocks_) == 2
    assert '"## Try it" "## Test it"' in (ROOT / ".ci/run").read_text("utf-8")
