"""Every check of the contracts can fail, and says then what to mend: right plugins pass, wrong ones do not.

The wrong ones lie in ``wrong/``. They are installed as a stranger's plugins are, and each kind is tested by
a run of pytest.
"""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from nlptasks.plugin.spec import Kind
from nlptasks.testing import BackendContract, BenchmarkContract, MetricContract, TaskContract
from nlptasks.testing.contracts.plugin import PluginContract
from tests.testing.wrong import hooks
from tests.testing.wrong.cases import CASES, METRIC_HOOKS

CONTRACTS: Mapping[Kind, type[PluginContract]] = {
    one.kind: one for one in (TaskContract, BackendContract, MetricContract, BenchmarkContract)
}
HERE = Path(__file__).parent / "wrong"
RIGHT: Mapping[Kind, str] = {kind: f"Right{kind.title()}" for kind in CONTRACTS}
PUBLISHED = [{"article": "A port opened. It is large.", "highlights": "A port opened.", "empty": ""}]
PLUGINS = ["wrong", *hooks.NAMES]
Failures = Mapping[str, Mapping[str, str]]


def kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def plugin() -> str:
    """The code of the plugin that contributes all but the wrong hooks."""
    lines = ["from nlptasks import Spec, hookimpl"]
    for kind, cases in CASES.items():
        names = sorted({RIGHT[kind], *(name for name, _, _ in cases if name not in hooks.NAMES)})
        specs = [f"Spec({kebab(name)!r}, 'wrong_{kind}s:{name}', 'a {kind}')" for name in names]
        lines.append(f"@hookimpl\ndef register_{kind}s():\n    return [{', '.join(specs)}]")
    return "\n".join(lines)


def contracts(kind: Kind) -> str:
    """The code of the tests: a contract for each thing of a kind, right or wrong."""
    more = f"; published = {PUBLISHED!r}" if kind == "benchmark" else ""
    names = dict.fromkeys([RIGHT[kind], *(name for name, _, _ in CASES[kind])])
    contract = CONTRACTS[kind].__name__
    lines = [f"class Test{name}({contract}): name = {kebab(name)!r}{more}" for name in names]
    return "\n".join([f"from nlptasks.testing import {contract}", *lines])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all the plugins, as if a distribution had installed them, and with their tests."""
    folder = tmp_path_factory.mktemp("site")
    for file in HERE.glob("wrong_*.py"):
        shutil.copy(file, folder)
    (folder / "wrong_plugin.py").write_text(plugin())
    for name in hooks.NAMES:
        (folder / f"{name}_plugin.py").write_text(hooks.module(name))
    (folder / "reading_plugin.txt").touch()
    info = folder / "strangers-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strangers\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[nlptasks]\n" + "".join(f"{name} = {name}_plugin\n" for name in PLUGINS))
    return folder


def failures(site: Path, kind: Kind) -> Failures:
    """Return how each check of each class failed, "" where it did not: all of the right one's, of the others one."""
    tests = [f"Test{RIGHT[kind]}", *(f"Test{name}::{check}" for name, check, _ in CASES[kind])]
    file, report = site / f"test_{kind}s.py", site / f"{kind}s.xml"
    file.write_text(contracts(kind))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "nlptasks.testing.fixtures", f"--junitxml={report}"]
    command += [f"{file.name}::{test}" for test in tests]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *filter(None, sys.path)])}
    done = subprocess.run(command, cwd=site, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    found: dict[str, dict[str, str]] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        trouble = case.find("failure") if case.find("failure") is not None else case.find("error")
        said = "" if trouble is None else trouble.get("message", "")
        found.setdefault(case.get("classname", "").rpartition(".")[2], {})[case.get("name", "")] = said
    return found


@pytest.mark.parametrize("kind", RIGHT)
def test_what_is_right_passes_and_what_is_wrong_is_told_in_a_line(site: Path, kind: Kind) -> None:
    found = failures(site, kind)
    right = found[f"Test{RIGHT[kind]}"]
    assert {check: said for check, said in right.items() if said} == {}
    assert {check.partition("[")[0] for check in right} == {name for name, _ in methods(kind)}
    for name, check, words in CASES[kind]:
        said = [text for test, text in found[f"Test{name}"].items() if test == check or test.startswith(f"{check}[")]
        assert any(words in text for text in said), (name, check, words, said)
        assert all("\n" not in text.strip() for text in said), (name, check, said)


@pytest.mark.parametrize("kind", RIGHT)
def test_each_check_has_something_that_fails_it(kind: Kind) -> None:
    tried = {check.partition("[")[0] for _, check, _ in (*CASES[kind], *METRIC_HOOKS)}
    assert {name for name, _ in methods(kind)} <= tried


@pytest.mark.parametrize("kind", RIGHT)
def test_each_check_says_in_a_line_what_holds(kind: Kind) -> None:
    for name, check in methods(kind):
        assert re.fullmatch(r"[A-Z].*\.", check.__doc__ or ""), name


def methods(kind: Kind) -> list[tuple[str, Callable[..., None]]]:
    found = inspect.getmembers(CONTRACTS[kind], inspect.isfunction)
    return [(name, check) for name, check in found if name.startswith("test_")]
