"""Many samples: rows in, rows out, with progress on a terminal and a run directory that resumes."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from nlptasks.backends.guarded import Guards
from nlptasks.batch import origin, work
from nlptasks.cli import console
from nlptasks.cli.call import Call
from nlptasks.cli.exits import Exit, stoppable
from nlptasks.cli.progress import Progress
from nlptasks.data import Columns, deliver, dump_line, is_here, output_row, plain_column, read_rows, working_file
from nlptasks.engine import Engine
from nlptasks.errors import InputError, StoppedError, UsageError
from nlptasks.plugin import registry
from nlptasks.plugin.isolation import stdout_aside
from nlptasks.records import Record, Sample
from nlptasks.runs import Counts, RunDirectory, sample_line


def run_batch(call: Call) -> int:
    """Run all rows of ``--input``; return 0, or 3 if any failed."""
    given = call.given
    if given.get("text") or given[call.sections.first.key]:
        raise UsageError("Give one input or --input with many, not both.")
    source: Path = given["source"]
    output = None if given["output"] in (None, Path("-")) else working_file(given["output"])
    if output and any(_same(source, written) for written in (output, given["output"])):
        raise UsageError("--output would overwrite --input: name another file.")
    job = call.job()
    columns = Columns(job.task, mapping(given["columns"]), call.values(call.sections.input), source.parent)
    rows = read_rows(source, plain_column(job.task))
    items = islice(columns.samples(rows, str(source)), given["limit"])
    first = next(items, None)
    if first is None:
        raise InputError(f"{source} holds no rows.")
    backend = job.factory.build()
    engine = Engine(job.task, job.options, backend)
    everything = _chained(first, items)
    if output is None:
        with backend:
            counts = _to_stdout(engine, everything)
    else:
        guards = Guards(registry().plugins)
        directory = RunDirectory(output, job.run(backend, origin(source, columns)), given["log_content"], guards.redact)
        counts = _to_file(call, directory, engine, everything)
    return Exit.FINISHED_WITH_FAILURES if counts.failed else 0


def _same(one: Path, other: Path) -> bool:
    if is_here(one) and is_here(other):
        return one.exists() and other.exists() and one.samefile(other)
    return one == other


def _to_stdout(engine: Engine, items: Iterator[Sample | Record]) -> Counts:
    counts, out = Counts(), sys.stdout.buffer
    with stdout_aside():
        for record in engine.run(items):
            counts.add(sample_line(record, "none", lambda value: value))
            out.write(dump_line(output_row(record)))
            out.flush()
            tell_failure(record)
    return counts


def _to_file(call: Call, directory: RunDirectory, engine: Engine, items: Iterator[Sample | Record]) -> Counts:
    try:
        with stoppable(), directory:
            if str(call.given["source"]) == "-" and directory.exists and not call.given["overwrite"]:
                raise UsageError("Rows from stdin cannot be resumed: give a file, or use --overwrite.")
            directory.begin(call.given["overwrite"])
            with stdout_aside(), engine.backend:
                _work(directory, engine, items, Progress(directory.run, call.given["source"], call.given["limit"]))
    except KeyboardInterrupt:
        finished = directory.run.counts.total
        raise StoppedError(f"Stopped after {finished} rows: run the same command to go on.") from None
    deliver(directory.output, call.given["output"])
    _tell_end(call, directory)
    return directory.run.counts


def _work(directory: RunDirectory, engine: Engine, items: Iterator[Sample | Record], bar: Progress) -> None:
    if directory.run.counts.total:
        console.note(f"resuming after {directory.run.counts.total} finished rows")
    with bar as progress, closing(work(directory, engine, items)) as records:
        for record in records:
            progress.advance()
            tell_failure(record)


def tell_failure(record: Record) -> None:
    """Say on stderr which sample failed, and why."""
    if record.failed:
        guards = Guards(registry().plugins)
        name = f"row {record.sample.index + 1}" if guards else record.sample.id  # an id may be what a guard hides
        console.note(f"failed: {name}: {guards.tell(record.result)}")


def _tell_end(call: Call, directory: RunDirectory) -> None:
    run = directory.run
    if call.given["as_json"]:
        console.say_json(
            {"output": str(call.given["output"]), "run": str(directory.path), "counts": asdict(run.counts)}
        )
        return
    extra = "".join(f", {count} {name}" for name, count in asdict(run.counts).items() if count and name != "total")
    console.note(f"{run.counts.total} rows{extra} in {run.seconds:.1f} s -> {call.given['output']}")
    if run.counts.failed:
        console.note("Run the same command again to retry the failed rows.")


def mapping(pairs: Iterable[str]) -> dict[str, str]:
    """Return what ``--map`` says: ours -> theirs.

    Raises:
        UsageError: it is not of the form FIELD=COLUMN.
    """
    found = {}
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if not (ours and equals and theirs):
            raise UsageError(f"--map takes FIELD=COLUMN, not {pair!r}.")
        found[ours] = theirs
    return found


def _chained(first: Sample | Record, rest: Iterator[Sample | Record]) -> Iterator[Sample | Record]:
    yield first
    yield from rest
