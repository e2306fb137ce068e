"""Many samples: rows in, rows out, with progress on a terminal and a run directory that resumes."""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import IO, Any

from nlptasks.backends.guarded import Guards
from nlptasks.cli import console
from nlptasks.cli.call import Call
from nlptasks.cli.progress import Progress
from nlptasks.data import Columns, dump_line, output_row, plain_column, read_rows
from nlptasks.engine import Engine
from nlptasks.errors import InputError, StoppedError, UsageError
from nlptasks.plugin import registry
from nlptasks.plugin.isolation import stdout_aside
from nlptasks.records import Record, Sample
from nlptasks.runs import Counts, RunDirectory, sample_line

FINISHED_WITH_FAILURES = 3


def run_batch(call: Call) -> int:
    """Run all rows of ``--input``; return 0, or 3 if any failed."""
    given = call.given
    if given.get("text") or given[call.sections.first.key]:
        raise UsageError("Give one input or --input with many, not both.")
    output: Path | None = None if str(given["output"]) == "-" else given["output"]
    if output and output.suffix != ".jsonl":
        raise UsageError(f"--output {output}: rows are written as JSON Lines: name a .jsonl file.")
    job = call.job()
    source: Path = given["source"]
    columns = Columns(job.task, _mapping(given["columns"]), call.values(call.sections.input), source.parent)
    rows = read_rows(source, plain_column(job.task))
    items = islice(columns.samples(rows, str(source)), given["limit"])
    first = next(items, None)
    if first is None:
        raise InputError(f"{source} holds no rows.")
    with job.factory.build() as backend:
        engine = Engine(job.task, job.options, backend)
        everything = _chained(first, items)
        if output is None:
            counts = _to_stdout(engine, everything)
        else:
            guards = Guards(registry().plugins)
            run = job.run(backend, _data(source, columns))
            counts = _to_file(call, RunDirectory(output, run, given["log_content"], guards.redact), engine, everything)
    return FINISHED_WITH_FAILURES if counts.failed else 0


def _to_stdout(engine: Engine, items: Iterator[Sample | Record]) -> Counts:
    counts, out = Counts(), sys.stdout.buffer
    with stdout_aside():
        for record in engine.run(items):
            counts.add(sample_line(record, "none", lambda value: value))
            out.write(dump_line(output_row(record)))
            out.flush()
            _tell_failure(record)
    return counts


def _to_file(call: Call, directory: RunDirectory, engine: Engine, items: Iterator[Sample | Record]) -> Counts:
    try:
        with directory:
            directory.begin(call.given["overwrite"])
            with stdout_aside():
                _work(directory, engine, items, Progress(directory.run, call.given["source"], call.given["limit"]))
    except KeyboardInterrupt:
        finished = directory.run.counts.total
        raise StoppedError(f"Stopped after {finished} rows: run the same command to go on.") from None
    _tell_end(call, directory)
    return directory.run.counts


def _work(directory: RunDirectory, engine: Engine, items: Iterator[Sample | Record], bar: Progress) -> None:
    run, observers = directory.run, registry().plugins
    if run.counts.total:
        console.note(f"resuming after {run.counts.total} finished rows")
    observers.notify("run_started", run=run)
    try:
        todo = (item for item in items if not directory.is_done(_index(item)))
        with bar as progress:
            for record in engine.run(todo):
                directory.append(record)
                observers.notify("sample_finished", record=record)
                progress.advance()
                _tell_failure(record)
        directory.finish()
    finally:
        observers.notify("run_finished", run=run)


def _tell_failure(record: Record) -> None:
    if record.failed:
        guards = Guards(registry().plugins)
        name = f"row {record.sample.index + 1}" if guards else record.sample.id  # an id may be what a guard hides
        console.note(f"failed: {name}: {guards.tell(record.result)}")


def _tell_end(call: Call, directory: RunDirectory) -> None:
    run = directory.run
    if call.given["as_json"]:
        console.say_json({"output": str(directory.output), "run": str(directory.path), "counts": asdict(run.counts)})
        return
    extra = "".join(f", {count} {name}" for name, count in asdict(run.counts).items() if count and name != "total")
    console.note(f"{run.counts.total} rows{extra} in {run.seconds:.1f} s -> {directory.output}")
    if run.counts.failed:
        console.note("Run the same command again to retry the failed rows.")


def _mapping(pairs: Iterable[str]) -> dict[str, str]:
    mapping = {}
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if not (ours and equals and theirs):
            raise UsageError(f"--map takes FIELD=COLUMN, not {pair!r}.")
        mapping[ours] = theirs
    return mapping


def _data(source: Path, columns: Columns) -> dict[str, Any]:
    """Return where the rows come from; ``sha256`` and ``bytes`` of a file only."""
    known: dict[str, Any] = {"path": str(source), "columns": dict(columns.mapping), "sha256": None, "bytes": None}
    if source.is_file():
        with source.open("rb") as file:
            known |= {"sha256": _sha256(file), "bytes": source.stat().st_size}
    if columns.defaults:
        known["defaults_sha256"] = _sha256(io.BytesIO(dump_line(columns.defaults)))
    return known


def _sha256(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _index(item: Sample | Record) -> int:
    return item.sample.index if isinstance(item, Record) else item.index


def _chained(first: Sample | Record, rest: Iterator[Sample | Record]) -> Iterator[Sample | Record]:
    yield first
    yield from rest
