"""Plugins as strangers publish them: wheels built from a pyproject, installed by pip into an environment."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
import textwrap
import venv
from pathlib import Path

import pytest

PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "3.4"

[project.entry-points.nlptasks]
{plugin} = "{module}"

[tool.hatch.build.targets.wheel]
only-include = ["{module}.py"]
"""
PLUGINS = {
    "stranger_greeter": """
        from nlptasks import Completion, Spec, hookimpl
        from nlptasks.backends.base import Backend

        @hookimpl
        def register_backends():
            return [Spec("greeter", "stranger_greeter:load", "greets")]

        class Greeter(Backend):
            def complete(self, requests):
                return [Completion("hello " + request.messages[-1].content) for request in requests]

        def load(model):
            return Greeter()
        """,
    "stranger_broken": "import a_package_that_was_forgotten",
}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that sees this one's packages, with both plugins installed by pip."""
    pytest.importorskip("pip", reason="the wheels are installed by pip")
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    query = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(query, capture_output=True, check=True, text=True).stdout.strip())
    lines = [f"import site; site.addsitedir({path!r})" for path in site.getsitepackages()]
    (packages / "this_one.pth").write_text("\n".join(lines) + "\n")
    wheels = [_wheel(folder / module, module, code) for module, code in PLUGINS.items()]
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps", *wheels]
    subprocess.run([*map(str, install), "--quiet", "--disable-pip-version-check"], check=True)
    return python


def _wheel(folder: Path, module: str, code: str) -> Path:
    folder.mkdir()
    name, plugin = module.replace("_", "-"), module.partition("_")[2]
    (folder / "pyproject.toml").write_text(PYPROJECT.format(name=name, plugin=plugin, module=module))
    (folder / f"{module}.py").write_text(textwrap.dedent(code))
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"], cwd=folder, check=True, capture_output=True
    )
    [wheel] = (folder / "dist").glob("*.whl")
    return wheel


def test_wheels_from_strangers(python: Path, tmp_path: Path) -> None:
    def nlptasks(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(python), "-m", "nlptasks", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, text=True)

    listed = nlptasks("plugins", "list", "--json")
    assert listed.returncode == 0
    found = {one["name"]: one for one in json.loads(listed.stdout)}
    assert found["greeter"]["contributes"] == ["backend greeter"]
    assert (found["greeter"]["distribution"], found["greeter"]["version"]) == ("stranger-greeter", "3.4")
    assert found["broken"]["state"] == "broken"
    reason = "ModuleNotFoundError: No module named 'a_package_that_was_forgotten'"
    assert listed.stderr == (
        f"warning: Plugin 'broken' (stranger-broken 3.4) cannot be used: {reason}; "
        "leave it out with: nlptasks plugins disable broken\n"
    )

    assert nlptasks("plugins", "disable", "broken").returncode == 0
    greeted = nlptasks("run", "text-generation", "Ada", "--model", "greeter")
    assert (greeted.returncode, greeted.stdout, greeted.stderr) == (0, "hello Ada\n", "")
    assert "summarize" in nlptasks("--help").stdout
