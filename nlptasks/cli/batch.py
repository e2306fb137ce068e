"""Many samples: rows in, rows out, with progress on a terminal and a run directory that resumes."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from nlptasks.backends.base import Backend
from nlptasks.backends.guarded import Guards
from nlptasks.cli import console
from nlptasks.cli.progress import Progress
from nlptasks.cli.task_command import Call
from nlptasks.data import Columns, dump_line, output_row, plain_column, read_rows
from nlptasks.engine import Engine
from nlptasks.errors import InputError, UsageError
from nlptasks.job import Job
from nlptasks.plugin import registry
from nlptasks.records import Record, Sample
from nlptasks.runs import Counts, RunDirectory, sample_line

FINISHED_WITH_FAILURES = 3


def run_batch(call: Call) -> int:
    """Run all rows of ``--input``; return 0, or 3 if any failed."""
    given = call.given
    if given.get("text") or given[call.parameters["input"][0].key]:
        raise UsageError("Give one input or --input with many, not both.")
    job = call.job()
    source: Path = given["source"]
    columns = Columns(job.task, _mapping(given["columns"]), call.values("input"), source.parent)
    rows = read_rows(source, plain_column(job.task))
    items = islice(columns.samples(rows, str(source)), given["limit"])
    first = next(items, None)
    if first is None:
        raise InputError(f"{source} holds no rows.")
    with job.factory.build() as backend:
        engine = Engine(job.task, job.options, backend)
        everything = _chained(first, items)
        if given["output"] is None or str(given["output"]) == "-":
            counts = _to_stdout(engine, everything)
        else:
            counts = _to_file(call, job, backend, engine, everything, _data(call, columns))
    return FINISHED_WITH_FAILURES if counts.failed else 0


def _to_stdout(engine: Engine, items: Iterator[Sample | Record]) -> Counts:
    counts = Counts()
    for record in engine.run(items):
        line = sample_line(record, "none", lambda value: value)
        counts.add(line)
        sys.stdout.buffer.write(dump_line(output_row(record)))
        sys.stdout.buffer.flush()
        _tell_failure(record)
    return counts


def _to_file(
    call: Call, job: Job, backend: Backend, engine: Engine, items: Iterator[Sample | Record], data: dict[str, Any]
) -> Counts:
    output: Path = call.given["output"]
    if output.suffix != ".jsonl":
        raise UsageError(f"--output {output}: rows are written as JSON Lines: name a .jsonl file.")
    plugins, guards = registry().plugins, Guards(registry().plugins)
    directory = RunDirectory(output, job.run(backend, data), call.given["log_content"], guards.redact)
    run = directory.run
    with directory:
        directory.begin(call.given["overwrite"])
        resumed = run.counts.total
        if resumed:
            console.note(f"resuming after {resumed} finished rows")
        plugins.notify("run_started", run=run)
        try:
            todo = (item for item in items if not directory.is_done(_index(item)))
            with Progress(run, call.given["limit"]) as progress:
                for record in engine.run(todo):
                    directory.append(record)
                    plugins.notify("sample_finished", record=record)
                    progress.advance()
                    _tell_failure(record)
            directory.finish()
        finally:
            plugins.notify("run_finished", run=run)
    _tell_end(call, directory)
    return run.counts


def _tell_failure(record: Record) -> None:
    if record.failed:
        console.note(f"failed: {record.sample.id}: {record.result.message}")


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


def _data(call: Call, columns: Columns) -> dict[str, Any]:
    """Return what tells this data from other data."""
    source: Path = call.given["source"]
    defaults = hashlib.sha256(dump_line(columns.defaults)).hexdigest() if columns.defaults else None
    known: dict[str, Any] = {"path": str(source), "columns": dict(columns.mapping), "defaults": defaults}
    if source.is_file():
        with source.open("rb") as file:
            known |= {"sha256": _sha256(file), "bytes": source.stat().st_size}
    return known


def _sha256(file: Any) -> str:
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _index(item: Sample | Record) -> int:
    return item.sample.index if isinstance(item, Record) else item.index


def _chained(first: Sample | Record, rest: Iterator[Sample | Record]) -> Iterator[Sample | Record]:
    yield first
    yield from rest
