"""One sample: its text to stdout, streamed on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import click
from pydantic import ValidationError

from nlptasks.backends.guarded import Guards
from nlptasks.cli import console
from nlptasks.cli.call import Call
from nlptasks.data import one_line, output_row
from nlptasks.engine import Engine
from nlptasks.errors import InputError, SampleError
from nlptasks.job import Job
from nlptasks.plugin import registry
from nlptasks.plugin.isolation import stdout_aside
from nlptasks.records import Delta, Failure, Record, Sample, total
from nlptasks.tasks import text_of


def run_single(call: Call, values: dict[str, Any]) -> Record:
    """Run one sample, given by its columns, print its prediction and return its record.

    Raises:
        InputError: the input does not fit.
        SampleError: the sample failed.
    """
    sample = Sample("0", validated(call, values))
    job = call.job()
    live = sys.stdout.isatty() and not call.given["as_json"]
    engine = Engine(job.task, job.options, job.factory.build())
    with console.waiting(f"{job.factory.model} ...") as answered, engine.backend:
        if live:
            record = _streamed(engine, sample, answered)
        else:
            with stdout_aside():
                record = next(iter(engine.run([sample])))
    if isinstance(record.result, Failure):
        raise SampleError(replace(record.result, message=Guards(registry().plugins).tell(record.result)))
    if call.given["as_json"]:
        console.say_json(_report(job, record))
    elif not (live and job.task.streams(sample)):
        console.say(text_of(record.result))
    if not call.given["as_json"]:
        for line in job.task.notes(record.result):
            console.note(line)
    return record


def validated(call: Call, values: dict[str, Any]) -> Any:
    """Return the task's Input from values by column.

    Raises:
        InputError: they do not fit.
    """
    try:
        return call.task.Input.model_validate(values, context={"base": "."})
    except ValidationError as error:
        missing = [str(item["loc"][0]) for item in error.errors() if item["type"] == "missing"]
        flags = [one.flags[0] for one in call.sections.input if one.column in missing]
        raise InputError(f"Give {' and '.join(flags)}." if flags else one_line(error)) from None


def _streamed(engine: Engine, sample: Sample, answered: Callable[[], None]) -> Record:
    shown = False
    for item in engine.stream(sample):
        answered()
        if not isinstance(item, Delta):
            if shown:
                click.echo()
            return item
        click.echo(item.text, nl=False)
        shown = True
    raise AssertionError("a stream ends with its record")


def _report(job: Job, record: Record) -> dict[str, Any]:
    return {
        **output_row(record),
        "model": job.factory.model,
        "usage": asdict(total(record.completions)),
        "seconds": round(record.seconds, 3),
    }
