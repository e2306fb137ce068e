"""Which plugins are installed, read from the metadata of distributions. Loads none of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from typing import Any

from nlptasks.errors import PluginError
from nlptasks.plugin.isolation import raising
from nlptasks.plugin.spec import PROJECT


@dataclass(frozen=True)
class Installed:
    """An entry point of a distribution; ``load`` imports what it names."""

    name: str
    distribution: str
    version: str
    load: Callable[[], Any]

    @property
    def full_name(self) -> str:
        """What tells it from another distribution's plugin of the same name."""
        return f"{self.name}@{self.distribution}"

    def is_among(self, names: Collection[str]) -> bool:
        """Whether ``names`` holds its name or its full name."""
        return self.name in names or self.full_name in names


def installed() -> list[Installed]:
    """Return all entry points of the group, those of nlptasks itself first, then by name."""
    return sorted(_all(), key=lambda one: (one.distribution != PROJECT, one.name, one.distribution))


def _all() -> Iterator[Installed]:
    seen = set()
    for distribution in distributions():
        entries = _entries(distribution)
        origin = distribution.metadata["Name"] or "unknown" if entries else ""
        if entries and origin not in seen:  # of two copies, the first on sys.path is the one that is imported
            seen.add(origin)
            version = distribution.metadata["Version"] or ""
            yield from (Installed(name or origin, origin, version, load) for name, load in entries)


def _entries(distribution: Distribution) -> list[tuple[str, Callable[[], Any]]]:
    try:
        return [(entry.name, entry.load) for entry in distribution.entry_points if entry.group == PROJECT]
    except Exception as error:  # one damaged file must not hide the plugins of all others
        return [("", raising(PluginError(f"its entry_points.txt cannot be read: {error}")))]
