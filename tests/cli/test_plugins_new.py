"""From a name to a package that installs, passes its tests and works, with nothing edited."""

from __future__ import annotations

import json
import os
import shlex
import site
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from nlptasks.scaffold import USE
from tests.support import ROOT, Cli

KINDS = ("task", "backend", "metric", "benchmark")
SHOWN = {
    "task": "The ferry is electric.",
    "backend": "olleh",
    "metric": "my-metric\t50.00",
    "benchmark": "rouge1\t",
}
"""What the line of the README prints."""
FILES = {
    "pyproject.toml",
    "README.md",
    ".gitignore",
    ".github/workflows/test.yml",
    "src/nlptasks_my_own/__init__.py",
    "src/nlptasks_my_own/py.typed",
    "tests/test_my_own.py",
}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment that holds nlptasks."""
    pytest.importorskip("pip", reason="packages are installed by pip")
    folder = tmp_path_factory.mktemp("environment") / "venv"
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    query = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(query, capture_output=True, check=True, text=True).stdout.strip())
    lines = [f"import site; site.addsitedir({path!r})" for path in site.getsitepackages()]
    (packages / "this_one.pth").write_text("\n".join(lines) + "\n")
    return python


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_installs_passes_and_works(kind: str, python: Path, tmp_path: Path) -> None:
    name = f"my-{kind}"
    folder = tmp_path / f"nlptasks-{name}"

    def run(*arguments: object, cwd: Path = tmp_path) -> str:
        command = [str(python), *map(str, arguments)]
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, encoding="utf-8", check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    made = json.loads(run("-m", "nlptasks", "plugins", "new", name, "--kind", kind, "--json"))
    assert made["folder"] == folder.name
    install = ["-m", "pip", "--python", python, "install", "--no-index", "--no-deps", "--no-build-isolation"]
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([sys.executable, *map(str, [*install, *quiet, folder])], check=True)
    tested = run("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder)
    assert " passed" in tested
    assert "failed" not in tested

    (tmp_path / "system.txt").write_text("渡轮\nBoot\n", "utf-8")
    (tmp_path / "reference.txt").write_text("渡轮\nFähre\n", "utf-8")
    program, *arguments = shlex.split(USE[kind].format(name=name))
    assert program == "nlptasks"
    printed = run("-m", "nlptasks", *arguments, cwd=folder if kind == "benchmark" else tmp_path)
    assert SHOWN[kind] in printed
    listed = {one["name"]: one for one in json.loads(run("-m", "nlptasks", "plugins", "list", "--json"))}
    assert listed[name]["contributes"] == [f"{kind} {name}"]
    assert (listed[name]["distribution"], listed[name]["state"]) == (folder.name, "loaded")


@pytest.mark.parametrize("kind", KINDS)
def test_its_code_is_short_and_typed(kind: str, here: Cli, tmp_path: Path) -> None:
    done = here("plugins", "new", "my-own", "--kind", kind, "--json")
    assert done.code == 0, done.err
    rows = {"tests/rows.jsonl"} if kind == "benchmark" else set()
    folder = tmp_path / "nlptasks-my-own"
    found = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    assert found == FILES | {f"src/nlptasks_my_own/{kind}.py"} | rows
    assert {f"nlptasks-my-own/{file}" for file in found} == set(json.loads(done.out)["files"])
    code = [*(folder / "src").rglob("*.py")]
    assert sum(len(file.read_text("utf-8").splitlines()) for file in code) <= 40
    for tool in (["check", "--select", "E,F,W,I,B,C4,UP,SIM"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *tool, "--isolated", "--target-version", "py310", "."]
        checked = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout
    assert "{{" not in "".join(file.read_text("utf-8") for file in folder.rglob("*.py") if kind != "task")


def test_the_types_of_all_kinds_hold(here: Cli, tmp_path: Path) -> None:
    for kind in KINDS:
        assert here("plugins", "new", f"my-{kind}", "--kind", kind).code == 0
    folders = [str(tmp_path / f"nlptasks-my-{kind}" / part) for kind in KINDS for part in ("src", "tests")]
    environment = {**os.environ, "MYPYPATH": os.pathsep.join(folders[::2])}
    command = [sys.executable, "-m", "mypy", *folders]  # by the project's own settings, which are strict
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_overwritten(here: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "nlptasks-my-own"
    folder.mkdir()
    (folder / "README.md").write_text("mine")
    done = here("plugins", "new", "my-own", "--kind", "task")
    assert (done.code, done.out) == (2, "")
    message = "nlptasks-my-own exists already, and is left as it is: move it, or choose another name."
    assert done.err == f"error: {message}\n"
    assert [file.name for file in folder.iterdir()] == ["README.md"]
    assert (folder / "README.md").read_text() == "mine"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(here: Cli, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = here("plugins", "new", "my-own", "--kind", "task")
    assert (done.code, done.err) == (2, "error: nlptasks-my-own cannot be written: Permission denied\n")


RULE = "is not made of lowercase letters, digits and single hyphens, a letter first, at most 40 in all."


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("My_Plugin", "task", f"The name 'My_Plugin' {RULE} Take 'my-plugin'."),
        ("myPlugin", "task", f"The name 'myPlugin' {RULE} Take 'my-plugin'."),
        ("a..b", "metric", f"The name 'a..b' {RULE} Take 'a-b'."),
        ("3d", "metric", f"The name '3d' {RULE} Take 'd'."),
        ("-x-", "backend", f"The name '-x-' {RULE} Take 'x'."),
        ("../up", "task", f"The name '../up' {RULE} Take 'up'."),
        ("", "task", f"The name '' {RULE}"),
        ("关键词", "task", f"The name '关键词' {RULE}"),
        ("größe", "task", f"The name 'größe' {RULE} Take 'gr-e'."),
        ("a" * 41, "task", f"The name {'a' * 41!r} {RULE} Take {'a' * 40!r}."),
        ("nlptasks-keywords", "task", "Leave out 'nlptasks', which is put before the name. Take 'keywords'."),
        ("summarization", "task", "The name 'summarization' is taken by the task of plugin 'summarization' (nlptasks "),
        ("rouge", "metric", "The name 'rouge' is taken by the metric of plugin 'metrics' (nlptasks): choose another."),
        ("echo", "backend", "The name 'echo' is taken by the backend of plugin 'backends' (nlptasks)"),
        ("xsum", "benchmark", "The name 'xsum' is taken by the benchmark of plugin 'summarization' (nlptasks "),
        ("doctor", "task", "The name 'doctor' is taken by the command nlptasks doctor: choose another."),
        ("summarize", "task", "The name 'summarize' is taken by the command nlptasks summarize: choose another."),
        ("chat", "metric", "The name 'chat' is taken by the plugin of nlptasks "),
    ],
)
def test_a_name_that_will_not_do(name: str, kind: str, words: str, here: Cli, tmp_path: Path) -> None:
    done = here("plugins", "new", "--kind", kind, "--", name)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith(f"error: {words}")
    assert list(tmp_path.iterdir()) == []


def test_the_kinds_are_told(here: Cli) -> None:
    done = here("plugins", "new", "my-own")
    assert done.code == 2
    assert "Missing option '--kind'" in done.err
    done = here("plugins", "new", "my-own", "--kind", "tsk")
    assert done.code == 2
    assert "'task', 'backend', 'metric', 'benchmark'" in done.err
