"""Where the recipe works: the data it reads, the folders it writes, and whether it only tries itself out."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from nlptasks.errors import InputError
from nlptasks.training.standing import Watch

Row = Mapping[str, Any]
SMOKE = 120
"""Rows of each file that a trial takes."""


@dataclass(frozen=True)
class Workshop:
    """``data`` holds a folder for each source; ``smoke`` takes few rows and few updates, to see that all works."""

    data: Path
    output: Path
    encoder: Path
    smoke: bool
    watch: Watch

    @property
    def weights(self) -> Path:
        """Where the parts go, each into the folder of its task."""
        return self.output / "weights"

    def work(self, task: str) -> Path:
        """Return the folder for what is made on the way."""
        folder = self.output / "work" / task
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def rows(self, name: str) -> Iterator[Row]:
        """Yield the rows of a source.

        Raises:
            InputError: the data folder has not one file of that name.
        """
        found = sorted((self.data / name).glob("*.jsonl.gz"))
        if len(found) != 1:
            raise InputError(
                f"{self.data / name} must hold one .jsonl.gz file, not {len(found)}: see the README there."
            )
        with gzip.open(found[0], "rt", encoding="utf-8") as lines:
            yield from map(json.loads, islice(lines, SMOKE if self.smoke else None))

    def write(self, path: Path, rows: Iterable[Row]) -> Path:
        """Write rows as a file to learn from, whole or not at all; one that is there already stays."""
        if not path.exists():
            scratch = path.with_suffix(".new")
            with scratch.open("w", encoding="utf-8") as file:
                file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            scratch.replace(path)
        return path

    @property
    def sample(self) -> int | None:
        """How many rows of a benchmark to score on, None for all."""
        return 8 if self.smoke else None

    @property
    def limits(self) -> dict[str, Any]:
        """Options of a training that bound a trial."""
        return {"max_steps": 4} if self.smoke else {}
