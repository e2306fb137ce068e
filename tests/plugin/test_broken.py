"""A broken plugin is one line that names it, its distribution and the reason, and breaks nothing else."""

from __future__ import annotations

import json

import pytest

from tests.plugin.conftest import Site
from tests.plugin.wrong_plugins import BROKEN
from tests.support import Cli, Outcome


def warnings_of(done: Outcome) -> list[str]:
    return [line for line in done.err.splitlines() if line.startswith("warning: ")]


@pytest.mark.parametrize("case", ["a package that is not installed", "sys.exit on import", "a misspelt hook"])
def test_the_main_job_is_done_beside_it_and_strict_mode_refuses(
    case: str, site: Site, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install("odd", BROKEN[case].code)
    done = cli("summarize", "--text", "今天天气很好。", "--model", "echo", "--json")
    assert done.code == 0
    assert json.loads(done.out)["prediction"] == "今天天气很好。"
    assert len(warnings_of(done)) == 1
    monkeypatch.setenv("NLPTASKS_STRICT_PLUGINS", "1")
    done = cli("tasks", "list")
    assert (done.code, done.out) == (1, "")
    [line] = done.err.replace("loud\n", "").splitlines()
    assert line.startswith("error: Plugin 'odd' (stranger 1.2) cannot be used: ")


def test_what_a_plugin_contributed_before_it_broke_is_gone(site: Site, cli: Cli) -> None:
    site.install(
        "odd",
        """
        @hookimpl
        def register_tasks():
            return [Spec("early", "a:b", verb="early")]

        @hookimpl
        def register_commands():
            raise ValueError("late")
        """,
    )
    assert "early" not in cli("--help").out
    assert "early" not in cli("tasks", "list").out


def test_prints_of_a_sound_plugin_do_not_reach_stdout(site: Site, cli: Cli) -> None:
    site.install(
        "loud",
        """
        import sys, warnings
        print("on import")
        sys.stdout.write("and more\\n")
        warnings.warn("just so you know")

        @hookimpl
        def register_tasks():
            print("in a hook")
            return [Spec("shout", "stranger_loud_task:Nothing", "shout")]
        """,
    )
    done = cli("tasks", "list", "--json")
    assert done.code == 0
    assert "shout" in {task["name"] for task in json.loads(done.out)}
    for text in ("on import", "and more", "just so you know", "in a hook"):
        assert text in done.err


def test_a_damaged_file_of_entry_points_hides_no_other_plugin(site: Site, cli: Cli) -> None:
    site.install("odd", entry_points="[nlptasks]\nnothing but a name\n")
    done = cli("tasks", "list")
    assert done.code == 0
    assert "summarization" in done.out
    [line] = done.err.splitlines()
    assert "Plugin 'stranger' (stranger 1.2) cannot be used: its entry_points.txt cannot be read" in line
    assert cli("plugins", "disable", "stranger").code == 0
    done = cli("tasks", "list")
    assert (done.code, done.err) == (0, "")


def test_damaged_metadata_hides_no_other_plugin(site: Site, cli: Cli) -> None:
    site.install("odd")
    (site.path / "stranger-1.2.dist-info" / "METADATA").write_bytes(b"\x80Name: stranger\n")
    done = cli("tasks", "list")
    assert (done.code, done.err) == (0, "")
    assert "summarization" in done.out


def test_a_slow_plugin_is_named_while_it_loads(site: Site, cli: Cli) -> None:
    site.install("slow", "import time; time.sleep(3.3)")
    done = cli("tasks", "list", "--json")
    assert done.code == 0
    assert json.loads(done.out)
    advice = "warning: Plugin 'slow' (stranger 1.2) is slow to load; leave it out with: nlptasks plugins disable slow\n"
    assert done.err == advice
    assert cli("plugins", "disable", "slow").code == 0
    assert cli("tasks", "list").err == ""


@pytest.mark.parametrize("trouble", ["import os; os._exit(9)", "import threading; threading.Event().wait()"])
def test_one_that_crashes_or_hangs_can_be_switched_off_and_on(trouble: str, site: Site, cli: Cli) -> None:
    site.install("obstinate", trouble)
    done = cli("plugins", "disable", "obstinate")
    assert (done.code, done.err) == (0, "obstinate is disabled\n")
    assert cli("plugins", "disable", "obstinate").err == "obstinate is already disabled\n"
    done = cli("plugins", "list", "--json")
    assert (done.code, done.err) == (0, "")
    [found] = [one for one in json.loads(done.out) if one["name"] == "obstinate"]
    assert found["state"] == "disabled"
    site.module("stranger_obstinate", "raise ValueError('imported')")
    assert "imported" not in cli("tasks", "list").err
    assert cli("plugins", "enable", "obstinate").err == "obstinate is enabled\n"
    assert "imported" in cli("tasks", "list").err
    done = cli("plugins", "disable", "obstinat")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "Did you mean 'obstinate'?" in done.err


def test_an_interrupted_import_ends_the_process(site: Site, cli: Cli) -> None:
    site.install("stopped", "raise KeyboardInterrupt")
    done = cli("tasks", "list")
    assert done.code == 130
    assert "Traceback" not in done.err
