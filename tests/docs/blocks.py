"""The code blocks of a page, and what makes them run.

What a block needs that a test must not have stands behind its language: ``bash server``, ``bash hub``,
``bash terminal``. Such blocks are checked, not run. A ``title`` says that the block is a file of that name.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from tests.support import ROOT

NEEDS = {"server", "hub", "terminal"}
INCLUDED = re.compile(r'^( *)--8<-- "([^"]+)"$', re.MULTILINE)
TITLE = re.compile(r'title="([^"]+)"')
FIRST_LINE = re.compile(r"# (\w+\.py)\n")
"""How README names a file: it is read where no titles are shown."""
SETTING_UP = "-m venv"
"""What sets everything up from nothing needs a package index: ``.ci/run`` runs README's, test_build builds pages."""


@dataclass(frozen=True)
class Block:
    """One fenced block: ``marks`` are the words behind its language."""

    language: str
    marks: frozenset[str]
    title: str
    text: str

    @property
    def runs(self) -> bool:
        """Whether it can be run here."""
        return not self.marks & NEEDS and SETTING_UP not in self.text

    @property
    def commands(self) -> list[str]:
        """The lines of shell in it, with those that go on in the next line put together."""
        if self.language == "console":
            return [line[2:] for line in self.text.splitlines() if line.startswith("$ ")]
        return self.text.replace("\\\n", " ").splitlines() if self.language == "bash" else []


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page, with the files that they include."""
    tokens = MarkdownIt("commonmark").parse(page.read_text("utf-8"))
    return [_block(token.info, token.content) for token in tokens if token.type == "fence"]


def _block(info: str, content: str) -> Block:
    title = TITLE.search(info)
    language, *marks = TITLE.sub("", info).split()
    text = INCLUDED.sub(lambda found: (ROOT / found[2]).read_text("utf-8").rstrip(), content)
    named = title or FIRST_LINE.match(text)
    return Block(language, frozenset(marks), named[1] if named else "", text)


def nlptasks_calls(command: str) -> Iterator[list[str]]:
    """Yield the arguments of every call of nlptasks in a line of shell."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    call: list[str] | None = None
    for word in [*lexer, ";"]:
        if set(word) <= set("();<>|&"):
            if call:
                yield call[1:]
            call = None if word in ("<", ">", ">>") else []
        elif call is not None or word == "nlptasks":
            call = [*(call or []), word] if (call or word == "nlptasks") else None


class Workspace:
    """A folder in which the blocks of a page are run one after the other, with the files that they speak of."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        self._site, self._tools = folder / "site", folder / "bin"
        self._site.mkdir()
        self._tools.mkdir()
        shutil.copytree(
            ROOT / "docs/examples", self.folder / "docs/examples", ignore=shutil.ignore_patterns("__pycache__")
        )
        self._tool("nlptasks", f'exec {sys.executable} -m nlptasks "$@"')
        self._tool("pytest", f'exec {sys.executable} -m pytest -p no:cacheprovider -p nlptasks.testing.fixtures "$@"')
        self._tool("pip", f'exec {sys.executable} {Path(__file__).with_name("pip_stand_in.py")} "{self._site}" "$@"')

    def _tool(self, name: str, line: str) -> None:
        path = self._tools / name
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)

    def write(self, name: str, text: str) -> None:
        """Put a file where the page says it is."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command, its stdout and stderr together."""
        paths = os.pathsep.join(filter(None, [str(self._site), *self._own_path(), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "PATH": f"{self._tools}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": paths}
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**environment, "COLUMNS": "100"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=200,
            check=False,
        )

    def _own_path(self) -> list[str]:
        """Where nlptasks runs from its tree, that must be found from another folder too."""
        return [path for path in sys.path if Path(path, "nlptasks").is_dir() or Path(path, "nlptasks_chat").is_dir()]
