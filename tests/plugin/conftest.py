from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PREAMBLE = "from nlptasks import Spec, hookimpl\n\n"


@dataclass(frozen=True)
class Site:
    """A folder on every process's ``sys.path``, in which distributions are installed."""

    path: Path

    def module(self, name: str, code: str) -> Path:
        """Write a module; ``code`` may be indented."""
        file = self.path / f"{name}.py"
        file.write_text(PREAMBLE + textwrap.dedent(code), "utf-8")
        return file

    def install(
        self,
        plugin: str,
        code: str = "",
        *,
        distribution: str = "stranger",
        target: str | None = None,
        entry_points: str | None = None,
    ) -> None:
        """Install a distribution with one plugin, whose module is written from ``code``."""
        module = f"{distribution}_{plugin}".replace("-", "_").replace(".", "_")
        self.module(module, code)
        info = self.path / f"{distribution.replace('-', '_')}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        entries = entry_points or f"[nlptasks]\n{plugin} = {target or module}\n"
        (info / "entry_points.txt").write_text(entries)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    known = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *([known] if known else [])]))
    monkeypatch.syspath_prepend(str(folder))
    yield Site(folder)
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]
