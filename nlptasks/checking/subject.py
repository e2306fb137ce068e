"""What is to be checked: an installed plugin, a single file, or the folder of a package that is not installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlptasks.errors import InputError, UnknownNameError
from nlptasks.plugin import state
from nlptasks.plugin.discovery import GROUP, installed
from nlptasks.plugin.spec import PROJECT


@dataclass(frozen=True)
class Subject:
    """One plugin; ``path`` are the folders in which it is found before anything that is installed."""

    name: str
    distribution: str = ""
    file: Path | None = None
    path: tuple[Path, ...] = ()


def find(what: str | None, scratch: Path) -> list[Subject]:
    """Return the plugins that ``what`` names, all installed ones of others if None.

    ``scratch`` is an empty folder, for what stands in for an installation.

    Raises:
        UnknownNameError: no plugin, file or folder has that name.
        InputError: the plugin is switched off, or a folder holds none.
    """
    found = [Subject(one.name, one.distribution) for one in installed() if what is None or one.is_among({what})]
    if what is None:
        return [one for one in found if one.distribution != PROJECT and not _is_off(one)]
    for one in found:
        if _is_off(one):
            raise InputError(f"{what} is disabled: nlptasks plugins enable {what}, then check it.")
    path = Path(what)
    if found:
        return found
    if path.is_dir():
        return list(_project(path.resolve(), scratch))
    if path.is_file():
        return [Subject(path.stem, file=path.resolve())]
    raise UnknownNameError("plugin", what, [one.name for one in installed()], "Or name a .py file or a folder.")


def _is_off(subject: Subject) -> bool:
    return bool(state.disabled() & {subject.name, f"{subject.name}@{subject.distribution}"})


def _project(folder: Path, scratch: Path) -> Iterator[Subject]:
    """Yield the plugins of a package that lies in ``folder``; ``scratch`` gets the metadata of an installation."""
    project = _read(folder / "pyproject.toml").get("project", {})
    groups = {group: points for group, points in project.get("entry-points", {}).items() if GROUP.fullmatch(group)}
    if not groups:
        raise InputError(f"{folder / 'pyproject.toml'} names no plugin: add [project.entry-points.{PROJECT}].")
    name, version = project.get("name", folder.name), project.get("version", "0")
    info = scratch / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", "utf-8")
    lines = [
        line for group, points in groups.items() for line in (f"[{group}]", *(f"{k} = {v}" for k, v in points.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n", "utf-8")
    source = folder / "src"
    path = (scratch, source if source.is_dir() else folder)
    for plugin in dict.fromkeys(plugin for points in groups.values() for plugin in points):
        yield Subject(plugin, name, path=path)


def _read(file: Path) -> Mapping[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        found: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError(f"{file.parent} holds no package: there is no pyproject.toml.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, OSError) as error:
        raise InputError(f"{file} cannot be read: {error}") from None
    return found
