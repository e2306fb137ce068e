"""A complete package for a new plugin: what ``nlptasks plugins new`` writes."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Literal

from nlptasks.errors import ConfigError, InputError
from nlptasks.plugin import registry
from nlptasks.plugin.discovery import installed
from nlptasks.plugin.spec import CONTRACTS, PROJECT

Scaffolded = Literal["task", "backend", "metric", "benchmark"]
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST = 40
USE = {
    "task": 'nlptasks {name} --text "The ferry is electric. It takes nine minutes." --model echo',
    "backend": 'nlptasks chat "hello" --model {name}/any',
    "metric": "nlptasks score translation --predictions system.txt --references reference.txt --metrics {name}",
    "benchmark": "nlptasks eval summarization --data {name}=tests/rows.jsonl",
}


@dataclass(frozen=True)
class NewPlugin:
    """A plugin that is yet to be written.

    Raises:
        ConfigError: the name is malformed or taken; the message says which to take instead.
    """

    name: str
    kind: Scaffolded
    reserved: frozenset[str] = frozenset()
    """Names that a task must not take, as its verb would be a command that exists."""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or len(self.name) > LONGEST:
            rule = f"lowercase letters, digits and single hyphens, a letter first, at most {LONGEST} in all"
            raise ConfigError(f"The name {self.name!r} is not made of {rule}.{_instead(self.name)}")
        if self.name.startswith(f"{PROJECT}-"):
            raise ConfigError(f"Leave out {PROJECT!r}, which is put before the name.{_instead(self.name)}")
        for taken in self._taken():
            raise ConfigError(f"The name {self.name!r} is taken by {taken}: choose another.")

    def _taken(self) -> Iterator[str]:
        for entry in registry().entries(self.kind):
            if entry.spec.name == self.name:
                yield f"the {self.kind} of plugin {entry.plugin.label}"
        if self.kind == "task" and self.name in self.reserved:
            yield f"the command nlptasks {self.name}"
        for one in installed():
            if one.name == self.name:
                yield f"the plugin of {one.distribution} {one.version}"
        if importlib.util.find_spec(self.package):
            yield f"an installed module, {self.package}"

    @property
    def distribution(self) -> str:
        """The name to install it by, and that of its folder."""
        return f"{PROJECT}-{self.name}"

    @property
    def package(self) -> str:
        """The name to import it by."""
        return self.distribution.replace("-", "_")

    @property
    def values(self) -> Mapping[str, str]:
        """What the templates are filled with."""
        stem = "".join(part.capitalize() for part in self.name.split("-"))
        newest = CONTRACTS[-1]
        return {
            "name": self.name,
            "kind": self.kind,
            "distribution": self.distribution,
            "package": self.package,
            "stem": stem,
            "target": self.package.upper() if self.kind == "benchmark" else stem + self.kind.capitalize(),
            "group": PROJECT if newest == 1 else f'"{PROJECT}.{newest}"',
            "version": version(PROJECT),
            "use": USE[self.kind].format(name=self.name),
        }

    @property
    def templates(self) -> Mapping[str, str]:
        """The template of each file, by its path."""
        source = f"src/{self.package}"
        rows = {"tests/rows.jsonl": "rows.jsonl"} if self.kind == "benchmark" else {}
        return {
            "pyproject.toml": "pyproject.toml",
            "README.md": "README.md",
            ".gitignore": "gitignore",
            ".github/workflows/test.yml": "workflow.yml",
            f"{source}/__init__.py": "init.py",
            f"{source}/{self.kind}.py": f"{self.kind}.py",
            f"{source}/py.typed": "py.typed",
            f"tests/test_{self.package.removeprefix('nlptasks_')}.py": f"test_{self.kind}.py",
            **rows,
        }

    def write(self, parent: Path) -> list[Path]:
        """Write the package into a new folder in ``parent``; return its files.

        Raises:
            InputError: the folder exists, or cannot be written.
        """
        from jinja2 import Environment, StrictUndefined

        jinja = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
        folder, written = parent / self.distribution, []
        try:
            folder.mkdir()
            for path, template in self.templates.items():
                text = (files(__name__) / "templates" / f"{template}.jinja").read_text("utf-8")
                file = folder / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(jinja.from_string(text).render(self.values), "utf-8")
                written.append(file)
        except FileExistsError:
            raise InputError(
                f"{folder} exists already, and is left as it is: move it, or choose another name."
            ) from None
        except OSError as error:
            raise InputError(f"{folder} cannot be written: {error.strerror}") from None
        return written


def _instead(name: str) -> str:
    """Suggest a name like ``name`` that is well-formed."""
    words = re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower())
    better = "-".join(words).removeprefix(f"{PROJECT}-").lstrip("-0123456789")[:LONGEST].rstrip("-")
    return f" Take {better!r}." if NAME.fullmatch(better) and better != name else ""
