"""Loads one plugin in a process of its own and tells what that did.

``python -m nlptasks.testing.probe REPORT NAME [FILE]`` writes its findings as JSON into REPORT; ``probe``
runs that and reads them. It stands outside of ``contracts`` because it must import no more than a plugin finds loaded.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import metadata
from importlib.machinery import all_suffixes
from pathlib import Path
from typing import Any

from nlptasks.plugin import local
from nlptasks.plugin.discovery import Installed, installed
from nlptasks.plugin.isolation import reason
from nlptasks.plugin.spec import KINDS, PROJECT

PATIENCE = 60
"""Seconds that loading a plugin may take."""
OUTWARD = {
    "socket.": "it uses the network",
    "subprocess.": "it starts a process",
    "os.system": "it starts a process",
    "os.exec": "it starts a process",
    "os.posix_spawn": "it starts a process",
    "os.fork": "it starts a process",
    "sqlite3.connect": "it opens a database",
}
CHANGING = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod")
PLACES = ("site-packages", "dist-packages")
"""Where pip puts packages, in this environment and in one below it."""
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass
class Findings:
    """What a plugin did: while its module was ``loading``, and in each of its register ``hooks``, in words.

    ``imported`` names the packages of other distributions that loading it brought; ``unstable`` are the hooks that
    gave something else the second time; ``error`` says why it could not be loaded, "" if it could.
    """

    loading: list[str] = field(default_factory=list)
    imported: list[str] = field(default_factory=list)
    hooks: dict[str, list[str]] = field(default_factory=dict)
    unstable: list[str] = field(default_factory=list)
    printed: str = ""
    error: str = ""


@cache
def probe(name: str, file: Path | None = None) -> Findings:
    """Return what loading the plugin ``name`` does, or the single-file plugin at ``file``."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-B", "-m", __name__, str(report), name, *([str(file)] if file else [])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        try:
            done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            return Findings(error=f"loading it takes more than {PATIENCE} seconds")
        printed = done.stdout.decode(errors="replace")
        if not report.exists():
            return Findings(printed=printed, error=f"it ended the process, with exit code {done.returncode}")
        return Findings(**{**json.loads(report.read_text("utf-8")), "printed": printed})


class _Watch:
    """Notes what a piece of code does to the world outside; an audit hook cannot be taken away again."""

    def __init__(self) -> None:
        self._notes: list[str] | None = None
        self._reading = False
        sys.addaudithook(self._hear)

    @contextmanager
    def __call__(self, notes: list[str], reading: bool) -> Iterator[None]:
        """Write into ``notes`` what is done; ``reading`` files too counts."""
        self._notes, self._reading = notes, reading
        try:
            yield
        finally:
            self._notes = None

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._notes is None:
            return
        notes, self._notes = self._notes, None  # what is done in here is not the plugin's
        note = self._note(event, arguments)
        if note and note not in notes:
            notes.append(note)
        self._notes = notes

    def _note(self, event: str, arguments: tuple[Any, ...]) -> str | None:
        if event == "open":
            path, _, flags = arguments
            if (flags or 0) & WRITING:
                return f"it writes {path}"
            imports = str(path).endswith(tuple(all_suffixes()))
            return f"it reads {path}" if self._reading and not imports else None
        if event in CHANGING:
            return f"it changes {arguments[0]}"
        return next((words for start, words in OUTWARD.items() if event.startswith(start)), None)


def examine(name: str, file: Path | None) -> Findings:
    """Load the plugin here and now, call its hooks twice and return what was found."""
    found, watch = Findings(), _Watch()
    plugin = _plugin(name, file)
    before = set(sys.modules)
    try:
        with watch(found.loading, reading=False):
            module = plugin.load()
        for kind in KINDS:
            hook = getattr(module, f"register_{kind}s", None)
            if hook is not None:
                with watch(found.hooks.setdefault(f"register_{kind}s", []), reading=True):
                    first = list(hook())
                if list(hook()) != first:
                    found.unstable.append(f"register_{kind}s")
    except BaseException as error:  # sys.exit too, and the panics of compiled extensions
        found.error = reason(error)
    found.imported = _foreign(plugin.distribution, set(sys.modules) - before)
    return found


def _plugin(name: str, file: Path | None) -> Installed:
    if file is not None:
        return Installed(file.stem, "", "", lambda: local.load(file))
    if name in ("backends", "metrics"):  # those of nlptasks itself
        return Installed(name, PROJECT, "", lambda: importlib.import_module(f"nlptasks.{name}"))
    return next(one for one in installed() if one.is_among({name}))


def _foreign(distribution: str, modules: set[str]) -> list[str]:
    """Return the packages among ``modules`` that come from another distribution: they lie where pip puts them.

    A single module, such as typing_extensions, is let pass: it costs little.
    """
    tops = {name.partition(".")[0] for name in modules} - {PROJECT, *_packages(distribution)}
    folders = {top: [Path(one) for one in getattr(sys.modules.get(top), "__path__", ())] for top in tops}
    return sorted(top for top, paths in folders.items() if any(path.parent.name in PLACES for path in paths))


def _packages(distribution: str) -> set[str]:
    files = (metadata.distribution(distribution).files or []) if distribution else []
    return {file.parts[0].partition(".")[0] for file in files}


if __name__ == "__main__":
    report, name, *file = sys.argv[1:]
    findings = examine(name, Path(file[0]) if file else None)
    sys.stdout.flush()
    Path(report).write_text(json.dumps(asdict(findings)), "utf-8")
