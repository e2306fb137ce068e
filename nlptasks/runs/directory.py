"""The run directory while it is written: append, resume, finish."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from typing_extensions import Self

from nlptasks.data import dump_line, output_row
from nlptasks.errors import RunError
from nlptasks.journal import Journal
from nlptasks.records import Record
from nlptasks.runs.log import LogContent, Redact, sample_line
from nlptasks.runs.record import Run, Status, read_run, write_run

SAVE_EVERY = 10.0
"""Seconds between two savings of ``run.json``, so that a kill loses no more of the time that was spent."""


class RunDirectory:
    """One run under way, as a context manager; at most one process writes it at a time.

    ``redact`` is put before everything that is kept in the directory, not before an output beside it. The directory
    is ``path``, or stands beside the output.

    Raises:
        RunError: another process writes it, it belongs to a different run, or it cannot be written.
    """

    def __init__(
        self,
        output: Path,
        run: Run,
        log_content: LogContent = "full",
        redact: Redact | None = None,
        path: Path | None = None,
    ) -> None:
        self.output = output
        self.path = path or output.with_name(output.name + ".run")
        self.run = run
        self._within = output.parent == self.path
        self._done = bytearray()  # a bit for each row
        self._log_content = log_content
        self._redact = redact or (lambda value: value)
        self._journal = Journal(output, self.path / "samples.jsonl")
        self._lock = FileLock(self.path / "lock")
        self._saved = time.perf_counter()
        self._begun = False

    def __enter__(self) -> Self:
        with _explained(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            message = f"{self.path} is being written by another process: wait for it, or choose another --output."
            raise RunError(message) from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        try:
            if self._begun:
                self._journal.close()
                interrupted = isinstance(error, KeyboardInterrupt | GeneratorExit)
                self._save("success" if error is None else "cancelled" if interrupted else "error", error)
        finally:
            self._lock.release()

    @property
    def exists(self) -> bool:
        """Whether there is a run to resume."""
        return (self.path / "run.json").is_file() and self.output.exists()

    def begin(self, overwrite: bool) -> None:
        """Start afresh, or take up what is there; ``is_done`` then tells what needs no more work.

        Raises:
            RunError: what is there belongs to another run, and ``overwrite`` is not set.
        """
        with _explained(self.path):
            if self.exists and not overwrite:
                self._compare()
            elif overwrite or not self.output.exists() or not self.output.stat().st_size:
                self._journal.clear()
            else:
                raise RunError(f"{self.output} exists and is not the output of a run to resume: use --overwrite.")
            write_run(self.path, self.run)
            self._begun = True
            self._journal.open(self._keep)

    def is_done(self, index: int) -> bool:
        """Whether the sample at this position is finished already."""
        return index // 8 < len(self._done) and bool(self._done[index // 8] >> index % 8 & 1)

    def append(self, record: Record) -> None:
        """Write one finished sample: its output line, then its line in samples.jsonl."""
        line = sample_line(record, self._log_content, self._redact)
        with _explained(self.path):
            self._journal.append(record.sample.index, dump_line(self._output_row(record)), line)
            if time.perf_counter() - self._saved > SAVE_EVERY:
                self._save("started", None)
        self._count({"index": record.sample.index, **line})

    def _output_row(self, record: Record) -> Mapping[str, Any]:
        row = output_row(record)
        if not self._within:
            return row
        try:
            kept: Mapping[str, Any] = self._redact(row)
            return kept
        except Exception as error:  # fail closed, as in samples.jsonl
            message = f"content withheld: {type(error).__name__}"
            return {"id": record.sample.id, "prediction": None, "error": {"type": "guard", "message": message}}

    def finish(self) -> None:
        """Put the rows into input order."""
        with _explained(self.path):
            self._journal.sort()

    def _compare(self) -> None:
        try:
            old = read_run(self.path)
        except RunError as error:
            raise RunError(f"{error} Use --overwrite to begin again, or another --output.") from None
        before, now = flat(old.fingerprint), flat(json.loads(json.dumps(self.run.fingerprint)))
        for name in {**now, **before}:
            if before.get(name) != now.get(name):
                was, is_ = (json.dumps(values.get(name), ensure_ascii=False) for values in (before, now))
                raise RunError(
                    f"{self.output} was made with another {name} ({_short(was)}, now {_short(is_)}): "
                    "use --overwrite to begin again, or another --output."
                )
        self.run.seconds = old.seconds

    def _keep(self, line: Mapping[str, Any]) -> bool:
        if line["failed"]:
            return False
        self._count(line)
        return True

    def _count(self, line: Mapping[str, Any]) -> None:
        index = line["index"]
        self._done.extend(bytes(max(0, index // 8 + 1 - len(self._done))))
        self._done[index // 8] |= 1 << index % 8
        self.run.counts.add(line)
        self.run.prompt_tokens += line["prompt_tokens"]
        self.run.completion_tokens += line["completion_tokens"]

    def _save(self, status: Status, error: BaseException | None) -> None:
        run, now = self.run, time.perf_counter()
        spent, self._saved = now - self._saved, now
        run.status, run.message = status, "" if error is None else str(self._safely(str(error)))
        run.seconds += spent
        run.completion_tokens_per_second = run.completion_tokens / run.seconds if run.seconds else 0.0
        try:
            write_run(self.path, self.run)
        except OSError:
            if error is None:
                raise

    def _safely(self, text: str) -> str:
        try:
            return str(self._redact(text))
        except Exception:  # a guard that cannot tell what is safe keeps everything back
            return "withheld: a guard failed"


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested members by dotted names: ``options.glossary``."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return found


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn an OSError into the line that tells what to do."""
    try:
        yield
    except Timeout:
        raise
    except OSError as error:
        raise RunError(
            f"Cannot write {error.filename or path}: {error.strerror}. "
            "What was finished is kept: mend that and run the same command to go on."
        ) from error
