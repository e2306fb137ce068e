"""Two files of lines that grow and change together: a run's output and its ``samples.jsonl``.

Line k of the second belongs to line k of the first, and holds its checksum and one of itself. The second is written
last, so a pair is finished when its line stands whole in both. What a kill, or an editor, left behind that is dropped
and done again.
"""

from __future__ import annotations

import logging
import os
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from nlptasks.data import dump_line
from nlptasks.seal import sealed, unsealed

log = logging.getLogger("nlptasks")
CHECK = "output_crc32"
"""The member of the second line that holds the checksum of the first."""


@dataclass(frozen=True)
class Pair:
    """Where a pair of lines begins in each file, and the ``index`` its second line holds."""

    index: int
    first: int
    second: int


class Journal:
    """The pair of files. Each is rewritten beside itself: what may stand in one may not stand beside the other."""

    def __init__(self, first: Path, second: Path) -> None:
        self._paths = first, second
        self._scratch = first.with_name(first.name + ".new"), second.with_name(second.name + ".new")
        self._descriptors: tuple[int, int] | None = None
        self._last = -1
        self._ordered = True

    def open(self, keep: Callable[[Mapping[str, Any]], bool]) -> None:
        """Mend what a kill left and open for appending; pairs whose second line fails ``keep`` are dropped.

        ``keep`` is called once for each pair, in order.
        """
        if self._scratch[1].exists():  # a rewrite was complete, but perhaps not in place
            self._swap()
        self._rewrite(self._note(pair, line) for pair, line in self._pairs() if keep(line))
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._descriptors = os.open(self._paths[0], flags, 0o666), os.open(self._paths[1], flags, 0o666)

    def append(self, index: int, first: bytes, second: Mapping[str, Any]) -> None:
        """Write one pair; both lines are with the operating system when this returns."""
        assert self._descriptors
        _write(self._descriptors[0], first)
        _write(self._descriptors[1], sealed(dump_line({"index": index, CHECK: zlib.crc32(first), **second})))
        self._ordered &= index > self._last
        self._last = index

    def sort(self) -> None:
        """Put the pairs into the order of their indexes."""
        if not self._ordered:
            self._rewrite(_sorted(pair for pair, _ in self._pairs()))

    def close(self) -> None:
        """Close both files."""
        for descriptor in self._descriptors or ():
            os.close(descriptor)
        self._descriptors = None

    def clear(self) -> None:
        """Delete both files."""
        for file in (*self._paths, *self._scratch):
            file.unlink(missing_ok=True)

    def _note(self, pair: Pair, line: Mapping[str, Any]) -> Pair:
        self._ordered &= pair.index > self._last
        self._last = pair.index
        return pair

    def _pairs(self) -> Iterator[tuple[Pair, dict[str, Any]]]:
        if not all(path.exists() for path in self._paths):
            return
        with self._paths[0].open("rb") as firsts, self._paths[1].open("rb") as seconds:
            at = 0, 0
            for row, (first, second) in enumerate(zip(firsts, seconds, strict=False), 1):
                line = _parsed(second)
                if line is None or line.get(CHECK) != zlib.crc32(first):
                    if next(seconds, None):  # more than the torn end that a kill leaves
                        log.warning("%s was changed: its rows are done again from line %d on.", self._paths[0], row)
                    return
                yield Pair(line["index"], *at), line
                at = at[0] + len(first), at[1] + len(second)

    def _rewrite(self, pairs: Iterable[Pair]) -> None:
        """Replace both files at once: the second scratch file gets its name only when all is written."""
        if not self._paths[1].exists():
            return
        part = self._scratch[1].with_suffix(".part")
        with self._scratch[0].open("wb") as first, part.open("wb") as second:
            with self._paths[0].open("rb") as firsts, self._paths[1].open("rb") as seconds:
                for pair in pairs:
                    first.write(_line_at(firsts, pair.first))
                    second.write(_line_at(seconds, pair.second))
            for file in (first, second):
                file.flush()
                os.fsync(file.fileno())
        part.replace(self._scratch[1])
        self._swap()

    def _swap(self) -> None:
        if self._scratch[0].exists():
            self._scratch[0].replace(self._paths[0])
        self._scratch[1].replace(self._paths[1])


def _sorted(pairs: Iterator[Pair]) -> Iterator[Pair]:
    """Sort pairs, holding three numbers for each."""
    import numpy as np

    numbers = array("q")
    for pair in pairs:
        numbers.extend((pair.index, pair.first, pair.second))
    table = np.frombuffer(numbers, dtype=np.int64).reshape(-1, 3)
    for row in np.argsort(table[:, 0], kind="stable"):
        yield Pair(*map(int, table[row]))


def _parsed(line: bytes) -> dict[str, Any] | None:
    """Return a whole line's object, None for what a kill or a loss of power left of one."""
    return unsealed(line) if line.endswith(b"\n") else None


def _line_at(file: IO[bytes], offset: int) -> bytes:
    if file.tell() != offset:
        file.seek(offset)
    return file.readline()


def _write(descriptor: int, line: bytes) -> None:
    view = memoryview(line)
    while view:
        view = view[os.write(descriptor, view) :]
