"""The contracts, run on a plugin without tests of its own, in a process that may do what it likes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.conftest import Site, site
from tests.support import Cli, Outcome

__all__ = ["site"]

SOUND = """
from nlptasks import Backend, Completion, Failure, Spec, hookimpl


class Shout(Backend):
    def complete(self, requests):
        return [self._answer(request) for request in requests]

    def _answer(self, request):
        if not request.messages:
            return Failure("backend", "There is nothing to shout.")
        return Completion(request.messages[-1].content.upper())


def load(model):
    return Shout()


@hookimpl
def register_backends():
    return [Spec("shout", __name__ + ":load", "answers in capitals")]
"""
GUARD = """
from nlptasks import hookimpl


@hookimpl
def before_generate(request):
    return request, None


@hookimpl
def after_generate(completion, state):
    return completion.text
"""


def findings(done: Outcome) -> dict[str, dict[str, Any]]:
    return {f"{one['what']}: {one['check']}": one for one in json.loads(done.out)}


def failed(done: Outcome) -> list[dict[str, Any]]:
    return [one for one in json.loads(done.out) if one["result"] == "failed"]


def package(folder: Path, code: str, entry_points: str) -> Path:
    source = folder / "src" / "sound_package"
    source.mkdir(parents=True)
    (source / "__init__.py").write_text(code)
    (folder / "pyproject.toml").write_text(f'[project]\nname = "sound-package"\nversion = "2.5"\n{entry_points}')
    return folder


def test_a_sound_file(here: Cli, tmp_path: Path) -> None:
    (tmp_path / "shout.py").write_text(SOUND)
    done = here("plugins", "check", "shout.py")
    assert done.code == 0, done.out + done.err
    rows = [line.split("\t") for line in done.out.splitlines()]
    assert {row[0] for row in rows} == {"shout"}
    assert {row[1] for row in rows} == {"plugin", "backend shout"}
    assert {row[3] for row in rows} <= {"ok", "skip"}
    assert ["shout", "plugin", "It loads.", "ok", ""] in rows
    passed = sum(row[3] == "ok" for row in rows)
    assert passed > 20
    assert done.err == f"shout: {passed} passed, 0 failed, {len(rows) - passed} skipped\n"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["shout.py"]  # it leaves nothing behind


def test_what_is_wrong_is_told_with_how_to_mend_it(here: Cli, tmp_path: Path) -> None:
    (tmp_path / "shout.py").write_text(
        "print('loud')\n" + SOUND.replace(', "answers in capitals"', "").replace("return [self", "return 2 * [self")
    )
    done = here("plugins", "check", "shout.py", "--json")
    assert done.code == 1
    notes = {one["note"] for one in failed(done)}
    assert "give the Spec of 'shout' a summary: it is what `backends list` shows" in notes
    assert "loading the plugin prints 'loud\\n': use logging.getLogger('nlptasks') instead" in notes
    assert "complete gives 2 answers to one request" in notes
    assert all(note.count("\n") == 0 for note in notes)


def test_a_package_that_is_not_installed(here: Cli, tmp_path: Path) -> None:
    points = '[project.entry-points.nlptasks]\nloud = "sound_package"\n[project.entry-points.other]\na = "b"\n'
    folder = package(tmp_path / "made", SOUND, points)
    done = here("plugins", "check", folder, "--json")
    assert (done.code, done.err) == (0, "")
    assert {one["plugin"] for one in json.loads(done.out)} == {"loud"}
    assert findings(done)["plugin: It loads."]["result"] == "passed"
    assert not list(folder.rglob("__pycache__"))
    assert "loud" not in here("plugins", "list").out


def test_a_package_for_a_contract_of_tomorrow(here: Cli, tmp_path: Path) -> None:
    folder = package(tmp_path / "made", SOUND, '[project.entry-points."nlptasks.9"]\nloud = "sound_package"\n')
    done = here("plugins", "check", folder, "--json")
    assert done.code == 1
    [one] = failed(done)
    assert one["check"] == "It loads."
    assert one["note"].startswith("it asks for contract 9, and this nlptasks keeps no newer one than ")


def test_installed_ones_by_name_or_all(site: Site, here: Cli) -> None:
    site.install("guard", GUARD, distribution="a-stranger")
    site.install("broken", "import a_package_that_was_forgotten", distribution="b-stranger")
    site.install("off", "raise RuntimeError", distribution="c-stranger")
    assert here("plugins", "disable", "off").code == 0
    done = here("plugins", "check", "guard", "--json")
    assert done.code == 1
    assert findings(done)["guard: Its before_generate gives a request and a state, for texts of any language."][
        "result"
    ] == ("passed")
    assert [one["note"] for one in failed(done)] == ["after_generate gives a str: return a Completion"]
    done = here("plugins", "check", "--json")
    assert done.code == 1
    assert {one["plugin"] for one in json.loads(done.out)} == {"guard", "broken"}
    assert "ModuleNotFoundError: No module named 'a_package_that_was_forgotten'" in {
        one["note"] for one in failed(done)
    }
    done = here("plugins", "check", "off")
    assert (done.code, done.err) == (2, "error: off is disabled: nlptasks plugins enable off, then check it.\n")


@pytest.mark.parametrize(
    ("code", "options", "note"),
    [
        ("import os\nos._exit(9)\n", [], "it ended the process, with exit code 9: never call os._exit"),
        (
            "import threading\nthreading.Event().wait()\n",
            ["--timeout", "4"],
            "it was not done within 4 seconds: mend what hangs, or give it more with --timeout",
        ),
    ],
)
def test_one_that_ends_or_hangs_the_process(
    code: str, options: list[str], note: str, here: Cli, tmp_path: Path
) -> None:
    (tmp_path / "odd.py").write_text(code)
    done = here("plugins", "check", "odd.py", *options, "--json")
    assert done.code == 1
    [one] = json.loads(done.out)
    assert (one["check"], one["result"]) == ("It loads.", "failed")
    assert one["note"].startswith(note)


def test_a_check_that_ends_the_process_is_named(here: Cli, tmp_path: Path) -> None:
    code = SOUND.replace("return [self", "import os; os._exit(7)\n        return [self")
    (tmp_path / "shout.py").write_text(code)
    done = here("plugins", "check", "shout.py", "--json")
    assert done.code == 1
    [one] = failed(done)
    assert (one["what"], one["note"].partition(":")[0]) == (
        "backend shout",
        "it ended the process, with exit code 7",
    )


def test_what_a_check_did_not_expect_is_told_with_its_place(here: Cli, tmp_path: Path) -> None:
    code = SOUND.replace("return [self", "raise KeyError('lost')\n        return [self")
    (tmp_path / "shout.py").write_text(code)
    done = here("plugins", "check", "shout.py", "--json")
    assert "it raised KeyError: 'lost' (KeyError in shout.py, line 7)" in {one["note"] for one in failed(done)}


def test_a_backend_that_needs_a_model(here: Cli, tmp_path: Path) -> None:
    needing = """def load(model):
    from nlptasks import ModelError
    if not model.endswith("/weights"):
        raise ModelError("Name a model: shout/FOLDER.")
"""
    (tmp_path / "shout.py").write_text(SOUND.replace("def load(model):\n", needing))
    (tmp_path / "weights").mkdir()
    done = here("plugins", "check", "shout.py", "--model", "weights")
    assert done.code == 0, done.out
    done = here("plugins", "check", "shout.py", "--json")
    assert done.code == 0
    skipped = [one["note"] for one in json.loads(done.out) if one["result"] == "skipped"]
    assert any("Name a model: shout/FOLDER." in note for note in skipped)


def test_a_name_that_is_taken(here: Cli, tmp_path: Path) -> None:
    (tmp_path / "shout.py").write_text(SOUND.replace('"shout"', '"echo"'))
    done = here("plugins", "check", "shout.py", "--json")
    notes = {one["note"] for one in failed(done)}
    assert notes == {"'backends' (nlptasks) has a backend 'echo' too: choose another name"}


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("nobody", "Unknown plugin 'nobody'. Or name a .py file or a folder."),
        (
            "summarisation",
            "Unknown plugin 'summarisation'. Did you mean 'summarization'? Or name a .py file or a folder.",
        ),
        ("empty", "{0}/empty holds no package: there is no pyproject.toml."),
        ("torn", "{0}/torn/pyproject.toml cannot be read: "),
        ("plain", "{0}/plain/pyproject.toml names no plugin: add [project.entry-points.nlptasks]."),
    ],
)
def test_what_cannot_be_checked(what: str, message: str, here: Cli, tmp_path: Path) -> None:
    for name in ("empty", "torn", "plain"):
        (tmp_path / name).mkdir()
    (tmp_path / "torn/pyproject.toml").write_text("[project")
    (tmp_path / "plain/pyproject.toml").write_text('[project]\nname = "plain"\n')
    done = here("plugins", "check", what)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith("error: " + message.format(tmp_path))


def test_nothing_to_check(here: Cli) -> None:
    done = here("plugins", "check")
    assert (done.code, done.out) == (0, "")
    assert done.err == "Nothing to check: no plugin of others is installed. Name a .py file or a folder.\n"
