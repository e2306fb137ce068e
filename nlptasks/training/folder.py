"""The folder that training writes: ``training.json``, the model, and ``work/`` with checkpoints until it is done."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from typing_extensions import Self

from nlptasks.errors import RunError

VERSION = 1
STATE = "training.json"


@dataclass
class Record:
    """What ``training.json`` holds."""

    fingerprint: Mapping[str, Any]
    """What must be the same for a training to be resumed."""
    environment: Mapping[str, str]
    """What it is trained with: versions and platform."""
    version: int = VERSION
    """The version of this form."""
    status: str = "started"
    """Either "started" or, once it is done, "success"."""
    step: int = 0
    """Updates made."""
    steps: int = 0
    """Updates to make."""
    rows: int = 0
    """Rows of tokens that there were to learn from."""
    seconds: float = 0.0
    """Time spent, over all its resumptions."""
    scores: Mapping[str, Any] = field(default_factory=dict)
    """The figures of the state that was kept."""
    history: Sequence[Mapping[str, Any]] = ()
    """The loss curve, with all evaluations."""


class TrainingFolder:
    """One training under way, as a context manager; at most one process works in it at a time."""

    def __init__(self, path: Path, record: Record) -> None:
        self.path = path
        self.record = record
        self.work = path / "work"
        self._lock = FileLock(self.work / "lock")

    def __enter__(self) -> Self:
        try:
            self.work.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            message = f"{self.path} is being written by another process: wait for it, or choose another --output."
            raise RunError(message) from None
        except OSError as error:
            raise RunError(f"Cannot write {self.path}: {error.strerror}. Choose another --output.") from None
        return self

    def __exit__(self, *_: Any) -> None:
        self._lock.release()
        if self.record.status == "success":
            shutil.rmtree(self.work, ignore_errors=True)

    def begin(self, overwrite: bool) -> bool:
        """Start afresh or take up what is there; return whether all is done already.

        What came to no checkpoint is no loss, and gives way to another training without more ado.

        Raises:
            RunError: what is there is another training or none, and ``overwrite`` does not help or is not set.
        """
        others = [one.name for one in self.path.iterdir() if one != self.work]
        if others and not (self.path / STATE).is_file():
            raise RunError(f"{self.path} holds other files ({others[0]} ...): choose another --output.")
        if others and not overwrite and self._has_work():
            self.record = self._resumed()
            return self.record.status == "success"
        for one in self.path.iterdir():
            if one != self.work:
                one.unlink() if one.is_file() else shutil.rmtree(one)
        for one in self.work.iterdir():
            if one.name != "lock":
                one.unlink() if one.is_file() else shutil.rmtree(one)
        self.save()
        return False

    def _has_work(self) -> bool:
        return read(self.path).status == "success" or any(self.work.glob("checkpoint-*"))

    def _resumed(self) -> Record:
        old = read(self.path)
        before, now = _flat(old.fingerprint), _flat(json.loads(json.dumps(self.record.fingerprint)))
        for name in {**now, **before}:
            if before.get(name) != now.get(name):
                was, is_ = (_short(json.dumps(values.get(name), ensure_ascii=False)) for values in (before, now))
                raise RunError(
                    f"{self.path} was trained with another {name} ({was}, now {is_}): "
                    "use --overwrite to begin again, or another --output."
                )
        return old

    def save(self) -> None:
        """Replace ``training.json`` at once."""
        scratch = self.path / f"{STATE}.new"
        scratch.write_text(json.dumps(asdict(self.record), indent=2, ensure_ascii=False) + "\n", "utf-8")
        scratch.replace(self.path / STATE)

    def publish(self, folder: Path) -> None:
        """Move the files of ``folder``, a model that is complete, to where it will be looked for."""
        for file in sorted(folder.iterdir()):
            file.replace(self.path / file.name)


def read(path: Path) -> Record:
    """Return what a folder's ``training.json`` says.

    Raises:
        RunError: it is damaged or of another version.
    """
    try:
        values = json.loads((path / STATE).read_text("utf-8"))
        if values["version"] != VERSION:
            raise RunError(f"{path} was written by another version of nlptasks: use --overwrite, or another --output.")
        return Record(**values)
    except (OSError, ValueError, RecursionError, TypeError, KeyError) as error:
        raise RunError(f"{path} is no readable training ({error}): use --overwrite, or another --output.") from None


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return found


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."
