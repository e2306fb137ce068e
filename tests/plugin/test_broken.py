"""A broken plugin is one line that names it, its distribution and the reason, and breaks nothing else."""

from __future__ import annotations

import json

import pytest

from tests.plugin.conftest import Site
from tests.support import Cli, Outcome

BROKEN = {
    "missing import": ("import no_such_package\n", "ModuleNotFoundError: No module named 'no_such_package'"),
    "cannot import name": ("from json import no_such_name\n", "ImportError: cannot import name 'no_such_name'"),
    "syntax error": ("def broken(:\n", "SyntaxError: invalid syntax"),
    "exits on import": ("import sys\nsys.exit(3)\n", "it called sys.exit(3)"),
    "prints, then fails": ("print('loud')\nraise OSError('no\\nluck')\n", "OSError: no luck"),
    "panics": ("class Panic(BaseException): pass\nraise Panic('in Rust')\n", "Panic: in Rust"),
    "warns as an error": ("import warnings\nraise DeprecationWarning('old')\n", "DeprecationWarning: old"),
    "exits in a hook": (
        "import sys\n@hookimpl\ndef register_tasks():\n    sys.exit('bye')\n",
        "it called sys.exit('bye')",
    ),
    "no list": ("@hookimpl\ndef register_tasks(): pass\n", "register_tasks returned a NoneType, not a list of Specs"),
    "no Spec": (
        "@hookimpl\ndef register_backends():\n    return ['x:y']\n",
        "register_backends returned a str among its Specs",
    ),
    "fails half-way": (
        "@hookimpl\ndef register_tasks():\n    yield Spec('half', 'a:b')\n    raise KeyError('way')\n",
        "KeyError: 'way'",
    ),
    "twice": (
        "@hookimpl\ndef register_tasks():\n    return [Spec('two', 'a:b'), Spec('two', 'a:c')]\n",
        "register_tasks returned 'two' twice",
    ),
    "misspelt hook": ("@hookimpl\ndef register_task(): return []\n", "unknown hook 'register_task'"),
    "wrong signature": ("@hookimpl\ndef register_tasks(config): return []\n", "Argument(s) {'config'} are declared"),
    "bad name": ("@hookimpl\ndef register_tasks():\n    return [Spec('Bad Name', 'a:b')]\n", "the name 'Bad Name'"),
    "bad verb": ("@hookimpl\ndef register_tasks():\n    return [Spec('t', 'a:b', verb='-x')]\n", "the name '-x'"),
    "empty name": ("@hookimpl\ndef register_tasks():\n    return [Spec('', 'a:b')]\n", "the name ''"),
    "bad target": ("@hookimpl\ndef register_tasks():\n    return [Spec('t', 'a.b')]\n", "not 'a.b'"),
    "number as name": ("@hookimpl\ndef register_tasks():\n    return [Spec(5, 'a:b')]\n", "is a str, not a int"),
    "long summary": (
        "@hookimpl\ndef register_tasks():\n    return [Spec('t', 'a:b', 'x\\ny')]\n",
        "more than one line",
    ),
    **{
        f"raises in register_{kind}": (
            f"@hookimpl\ndef register_{kind}():\n    print('loud')\n    raise ZeroDivisionError('oops')\n",
            "ZeroDivisionError: oops",
        )
        for kind in ("tasks", "backends", "metrics", "benchmarks", "commands")
    },
}


def warnings_of(done: Outcome) -> list[str]:
    return [line for line in done.err.splitlines() if line.startswith("warning: ")]


@pytest.mark.parametrize("case", BROKEN)
def test_everything_else_works(case: str, site: Site, cli: Cli) -> None:
    code, why = BROKEN[case]
    site.install("odd", code)
    for arguments in (["--help"], ["tasks", "list"], ["plugins", "list", "--json"]):
        done = cli(*arguments)
        assert done.code == 0
        assert "loud" not in done.out
        [warning] = warnings_of(done)
        assert "Plugin 'odd' (stranger 1.2) cannot be used: " in warning
        assert why in warning
        assert warning.endswith("; leave it out with: nlptasks plugins disable odd")
        assert done.err.replace("loud\n", "") == warning + "\n"
    [odd] = [one for one in json.loads(done.out) if one["name"] == "odd"]
    assert (odd["state"], odd["distribution"], odd["contributes"]) == ("broken", "stranger", [])
    assert why in odd["error"]


@pytest.mark.parametrize("case", ["missing import", "exits on import", "raises in register_backends", "misspelt hook"])
def test_the_main_job_is_done_beside_it_and_strict_mode_refuses(
    case: str, site: Site, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install("odd", BROKEN[case][0])
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
