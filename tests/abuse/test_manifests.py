"""Whatever a plugin says of itself: it is used, or it is one line of warning, and all other plugins work."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptasks.plugin.manager import PluginManager
from nlptasks.plugin.registry import Registry
from tests.abuse.damage import content, fuzzed

ENTRY_POINTS = (
    b"[nlptasks]\nkeywords = fuzzed_plugin\n\n[nlptasks.7]\nkeywords = fuzzed_plugin\n[console_scripts]\nx = a:b\n"
)
METADATA = "Metadata-Version: 2.1\nName: fuzzed\nVersion: 1.2\nSummary: Größe\n".encode()
FIELDS: dict[str, list[Any]] = {
    "name": ["fuzzed", "summarization", "", "Ä", "a b", "../x", None, 3],
    "target": ["fuzzed_plugin:thing", "nosuch:thing", "fuzzed_plugin", ":", "os:system", None],
    "summary": ["A thing", "two\nlines", "", None, "你好"],
    "requires": ["", "extra", None],
    "verb": ["", "summarize", "x y", "fuzz"],
}
SPECS = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in FIELDS.items()})
RETURNED = st.one_of(
    st.lists(
        SPECS.map(lambda given: "Spec(" + ", ".join(f"{name}={value!r}" for name, value in given.items()) + ")")
    ).map(lambda specs: f"[{', '.join(specs)}]"),
    st.sampled_from(
        ["None", "3", "'text'", "[None]", "{}", "(Spec('a', 'b:c') for _ in range(2))", "1 / 0", "exit(3)"]
    ),
)
HOOKS = st.sampled_from(
    [
        *("register_tasks", "register_backends", "register_metrics", "register_benchmarks", "register_commands"),
        *("register_nothing", "run_started", "before_generate", "after_generate"),
    ]
)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of the path, with one installed distribution."""
    (tmp_path / "fuzzed-1.2.dist-info").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    log = logging.getLogger("nlptasks")
    before, log.propagate = log.propagate, False
    yield tmp_path
    log.propagate = before


def works(folder: Path, entry_points: bytes, metadata: bytes, code: str) -> None:
    """The built-in tasks are there, whatever is installed beside them."""
    import sys

    (folder / "fuzzed-1.2.dist-info/entry_points.txt").write_bytes(entry_points)
    (folder / "fuzzed-1.2.dist-info/METADATA").write_bytes(metadata)
    (folder / "fuzzed_plugin.py").write_text(code, "utf-8")
    sys.modules.pop("fuzzed_plugin", None)
    sys.dont_write_bytecode = True
    importlib.invalidate_caches()
    manager = PluginManager()
    registry = Registry(manager)
    for name in ("summarization", "translation"):
        assert any(
            entry.plugin.distribution == "nlptasks" for entry in registry.entries("task") if entry.spec.name == name
        )
    for plugin in manager.plugins.values():
        assert plugin.state == "loaded" or plugin.error.strip()
        assert len(plugin.error.splitlines()) <= 1


def test_metadata(site: Path) -> None:
    @fuzzed
    @given(content(ENTRY_POINTS), content(METADATA))
    def check(entry_points: bytes, metadata: bytes) -> None:
        works(site, entry_points, metadata, "")

    check()


def test_what_hooks_return(site: Path) -> None:
    @fuzzed
    @given(st.lists(st.tuples(HOOKS, RETURNED), max_size=3), st.sampled_from(["", "self", "x", "*args", "request"]))
    def check(hooks: list[tuple[Any, str]], arguments: str) -> None:
        lines = ["from nlptasks import Spec, hookimpl", "thing = 3"]
        for hook, returned in hooks:
            lines += ["@hookimpl", f"def {hook}({arguments}):", f"    return {returned}"]
        works(site, ENTRY_POINTS, METADATA, "\n".join(lines))

    check()
