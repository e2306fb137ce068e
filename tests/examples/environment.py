"""An environment as a user has it: nlptasks and plugins installed from wheels. What is heavy lies in this one's."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from tests.support import ROOT, Outcome

EXAMPLES = ROOT / "docs" / "examples"
PACKAGES = ("nlptasks-ctranslate2", "nlptasks-keywords", "nlptasks-pii")


@dataclass(frozen=True)
class Environment:
    """A virtual environment in ``folder`` that sees the packages of this one behind its own."""

    folder: Path

    @classmethod
    def create(cls, folder: Path) -> Environment:
        """Make one with nothing in it."""
        venv.create(folder, with_pip=False)
        made = cls(folder)
        lines = [f"import site; site.addsitedir({path!r})" for path in site.getsitepackages()]
        (made.packages / "this_one.pth").write_text("\n".join(lines) + "\n")
        return made

    @property
    def python(self) -> Path:
        """The interpreter."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def packages(self) -> Path:
        """Where its own packages are."""
        [found] = self.folder.glob("[Ll]ib/**/site-packages")
        return found

    def install(self, *wheels: Path) -> None:
        """Install wheels by pip, from these files alone."""
        self._pip("install", "--no-index", "--no-deps", *wheels)

    def uninstall(self, *names: str) -> None:
        """Uninstall packages by pip."""
        self._pip("uninstall", "--yes", *names)

    def run(self, *arguments: object, cwd: Path) -> Outcome:
        """Run its Python, with nothing of this checkout on its path."""
        known = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(
            [str(self.python), *map(str, arguments)],
            capture_output=True,
            cwd=cwd,
            env={**known, "PYTHONDONTWRITEBYTECODE": "1"},
            check=False,
        )
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())

    def nlptasks(self, *arguments: object, cwd: Path) -> Outcome:
        """Run its command line."""
        return self.run("-m", "nlptasks", *arguments, cwd=cwd)

    def _pip(self, *arguments: object) -> None:
        command = [sys.executable, "-m", "pip", "--python", self.python, "--disable-pip-version-check", *arguments]
        subprocess.run([*map(str, command), "--quiet"], check=True)


def wheel(source: Path, folder: Path) -> Path:
    """Build a package's wheel."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    [built] = folder.glob("*.whl")
    return built
