"""What a check found, and the file in which the checking process tells it line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Result = Literal["running", "passed", "failed", "skipped"]


@dataclass(frozen=True)
class Finding:
    """One check of one thing that a plugin contributes.

    ``what`` is that thing ("task keywords"; "plugin" for the plugin as a whole), ``check`` says what should hold,
    ``note`` how to mend what failed, or why a check was skipped.
    """

    what: str
    check: str
    result: Result
    note: str = ""


class Report:
    """A file of findings. A check that is begun is written down too, so that one that never ends is known."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def write(self, finding: Finding) -> None:
        """Add a finding; it is on disk when this returns."""
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(finding)) + "\n")

    def read(self) -> Iterator[Finding]:
        """Yield each check once, by its last finding."""
        if not self._file.exists():
            return
        last: dict[tuple[str, str], Finding] = {}
        for line in self._file.read_text("utf-8").splitlines():
            finding = Finding(**json.loads(line))
            last[finding.what, finding.check] = finding
        yield from last.values()
