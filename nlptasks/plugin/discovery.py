"""Which plugins are installed, read from the metadata of distributions. Loads none of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import Any

from nlptasks.errors import PluginError
from nlptasks.plugin.isolation import raising
from nlptasks.plugin.spec import CONTRACTS, PROJECT

GROUP = re.compile(rf"{PROJECT}(?:\.(\d+))?")


@dataclass(frozen=True)
class Installed:
    """An entry point of a distribution; ``load`` imports what it names."""

    name: str
    distribution: str
    version: str
    load: Callable[[], Any]
    contract: int = CONTRACTS[-1]

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
        origin, version = _facts(distribution) if entries else ("", "")
        if entries and origin not in seen:  # of two copies, the first on sys.path is the one that is imported
            seen.add(origin)
            for name, contract, load in entries:
                yield Installed(name or origin, origin, version, _refusal(contract, origin) or load, contract)


def _facts(distribution: Distribution) -> tuple[str, str]:
    """Return name and version; a damaged METADATA must not hide the plugins of all others."""
    try:
        facts = distribution.metadata
        return facts["Name"] or "unknown", facts["Version"] or ""
    except Exception:
        return "unknown", ""


def _entries(distribution: Distribution) -> list[tuple[str, int, Callable[[], Any]]]:
    try:
        found = [(entry, GROUP.fullmatch(entry.group)) for entry in distribution.entry_points]
    except Exception as error:  # one damaged file must not hide the plugins of all others
        load = raising(PluginError(f"its entry_points.txt cannot be read: {error}"))
        return [("", CONTRACTS[-1], load)]
    return _newest([(entry, int(group[1] or 1)) for entry, group in found if group])


def _newest(entries: list[tuple[EntryPoint, int]]) -> list[tuple[str, int, Callable[[], Any]]]:
    """Return each plugin once: for the newest contract that both it and this nlptasks keep, if there is one."""
    ascending = sorted(entries, key=lambda pair: (pair[1] in CONTRACTS, pair[1]))
    best = {entry.name: (entry.name, contract, entry.load) for entry, contract in ascending}
    return list(best.values())


def _refusal(contract: int, distribution: str) -> Callable[[], Any] | None:
    if contract in CONTRACTS:
        return None
    if contract > CONTRACTS[-1]:
        known, remedy = f"no newer one than {CONTRACTS[-1]}", PROJECT
    else:
        known, remedy = f"no older one than {CONTRACTS[0]}", distribution
    message = f"it asks for contract {contract}, and this nlptasks keeps {known}: pip install -U {remedy}"
    return raising(PluginError(message))
