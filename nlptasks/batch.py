"""Many samples: where their rows come from, and the loop that works them into a run directory."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from nlptasks.data import Columns, dump_line, reached
from nlptasks.engine import Engine
from nlptasks.plugin import registry
from nlptasks.records import Record, Sample
from nlptasks.runs import RunDirectory

LANGUAGES = ("lang", "source_lang", "target_lang")
"""Columns that tell a language: a default of theirs is kept as it is, and rows are scored by it."""


def work(directory: RunDirectory, engine: Engine, items: Iterable[Sample | Record]) -> Generator[Record, None, None]:
    """Run what is not done yet; write every record, tell the observers of it, and yield it."""
    observers = registry().plugins
    observers.notify("run_started", run=directory.run)
    try:
        for record in engine.run(item for item in items if not directory.is_done(_index(item))):
            directory.append(record)
            observers.notify("sample_finished", record=record)
            yield record
        directory.finish()
    finally:
        observers.notify("run_finished", run=directory.run)


def _index(item: Sample | Record) -> int:
    return item.sample.index if isinstance(item, Record) else item.index


def origin(source: Path, columns: Columns) -> dict[str, Any]:
    """Return where rows come from; ``sha256`` of what is on disk, ``bytes`` of a file only.

    Of ``defaults`` the languages are kept, and of all others, which may be any text, the digest.
    """
    known: dict[str, Any] = {"path": str(source), "columns": dict(columns.mapping), "sha256": None, "bytes": None}
    with reached(source):
        if source.is_file():
            with source.open("rb") as file:
                known |= {"sha256": _sha256(file), "bytes": source.stat().st_size}
        elif source.is_dir():
            known["sha256"] = _sha256(io.BytesIO("".join(_folder_lines(source)).encode("utf-8", "surrogatepass")))
    if columns.defaults:
        known["defaults"] = {
            name: value if name in LANGUAGES else "sha256:" + _sha256(io.BytesIO(dump_line(value)))
            for name, value in columns.defaults.items()
        }
    return known


def _folder_lines(folder: Path) -> Iterator[str]:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            yield f"{path.relative_to(folder)} {_sha256(file)}\n"


def _sha256(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()
