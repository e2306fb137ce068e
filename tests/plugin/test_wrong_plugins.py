"""However wrong a plugin is: one clear line, and a command line that goes on working."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.plugin.conftest import Site
from tests.plugin.wrong_plugins import BROKEN, CHECKED, USED, Wrong
from tests.support import Cli, Outcome


def install(wrong: Wrong, site: Site) -> None:
    site.install(wrong.name, wrong.code, entry_points=wrong.entry_points)
    for name, code in wrong.modules.items():
        site.module(name, code)


def told(done: Outcome) -> list[str]:
    """Return the warnings and errors; what else is on stderr are notes."""
    assert "Traceback" not in done.err
    return [line for line in done.err.splitlines() if line.startswith(("warning: ", "error: "))]


def test_there_are_more_than_forty() -> None:
    assert len(BROKEN) + len(USED) + len(CHECKED) > 60


@pytest.mark.parametrize("case", BROKEN)
def test_one_that_does_not_load_is_named_and_left_out(case: str, site: Site, cli: Cli) -> None:
    wrong = BROKEN[case]
    install(wrong, site)
    name = wrong.name if wrong.name == "odd" else f"{wrong.name}@stranger"
    for arguments in (["plugins", "list", "--json"], ["run", "text-generation", "早", "--model", "echo"]):
        done = cli(*arguments)
        assert done.code == 0
        [line] = told(done)
        assert line.startswith(f"warning: Plugin {name!r} (stranger 1.2) cannot be used: ")
        assert wrong.line in line
        assert line.endswith(f"; leave it out with: nlptasks plugins disable {name}")
        assert done.err == line + "\n"
        if done.out.startswith("["):
            [odd] = [one for one in json.loads(done.out) if one["distribution"] == "stranger"]
            assert (odd["name"], odd["state"], odd["contributes"]) == (name, "broken", [])
    assert done.out == "早\n"


@pytest.mark.parametrize("case", USED)
def test_one_that_is_wrong_in_use_is_told_where_it_is_used(case: str, site: Site, cli: Cli, tmp_path: Path) -> None:
    wrong = USED[case]
    install(wrong, site)
    (tmp_path / "in.jsonl").write_text('{"text": "abc"}\n{"text": "def"}\n')
    (tmp_path / "in.txt").write_text("abc\ndef\n")
    done = cli(*wrong.command)
    assert done.code == wrong.exit_code
    [line] = told(done)
    assert wrong.line in line
    done = cli("--help")
    assert (done.code, done.err) == (0, "")
    if "_generate" not in case:  # where a guard is broken, nothing is sent
        done = cli("run", "text-generation", "早", "--model", "backends:echo")
        assert (done.code, done.out) == (0, "早\n")


@pytest.mark.parametrize("case", CHECKED)
def test_one_that_works_so_far_is_told_by_a_check(case: str, site: Site, cli: Cli) -> None:
    wrong = CHECKED[case]
    install(wrong, site)
    done = cli(*wrong.command)
    assert done.code == wrong.exit_code
    assert any(wrong.line in row.split("\t")[4] for row in done.out.splitlines() if "\tFAIL\t" in row)
    done = cli("run", "text-generation", "早", "--model", "echo")
    assert (done.code, done.out) == (0, "早\n")
