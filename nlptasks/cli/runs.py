"""``nlptasks runs``: what was run here, and what came of it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nlptasks.cli import console

if TYPE_CHECKING:
    from nlptasks.evaluation.source import FinishedRun

PATH = click.Path(path_type=Path)
MAIN_SCORES = 3


@click.group()
def runs() -> None:
    """Show the runs there are."""


@runs.command("list")
@click.argument("folder", type=PATH, required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(folder: Path | None, as_json: bool) -> None:
    """List the runs below FOLDER, the newest first.  [default: those in runs/, and here beside their output]"""
    found = [_facts(one) for one in _found(folder)]
    if as_json:
        console.say_json(found)
        return
    rows = []
    for one in found:
        counts = ", ".join(f"{count} {name}" for name, count in one["counts"].items() if count and name != "total")
        total = f"{one['counts']['total']} samples" + (f" ({counts})" if counts else "")
        scores = [f"{name} {score['value']:.2f}" for name, score in one["results"].items()]
        data = one["data"].get("benchmark") or one["data"]["path"]
        rows.append(
            (one["run"], one["status"], one["task"], one["model"], data, total, ", ".join(scores[:MAIN_SCORES]))
        )
    console.table(("run", "status", "task", "model", "data", "samples", "scores"), rows)


@runs.command()
@click.argument("run", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(run: Path, as_json: bool) -> None:
    """Show one RUN: its directory, or the output beside it."""
    from nlptasks.evaluation.source import open_run
    from nlptasks.runs import flat

    found = _facts(open_run(run))
    if as_json:
        console.say_json(found)
        return
    facts = flat({name: value for name, value in found.items() if name != "results"})
    lines = {name: str(value) for name, value in facts.items() if value not in (None, "", [])}
    for name, one in found["results"].items():
        low, high = one["ci95"]
        lines[name] = f"{one['value']:.2f}  ({low:.2f} to {high:.2f}, n {one['n']})  {one['signature']}"
    console.facts(lines)


@runs.command()
@click.argument("run", metavar="RUN...", nargs=-1, required=True, type=PATH)
@click.option("-o", "--output", type=PATH, help="The file to write.  [default: report.html in the first RUN]")
@click.option("--by", metavar="COLUMN", help="Break the scores down by the values of a column.")
@click.option("--ask", is_flag=True, help="Ask judges and encoders again, for their scores of each sample.")
def report(run: tuple[Path, ...], output: Path | None, by: str | None, ask: bool) -> None:
    """Write a report of RUN, or of several on the same data side by side, as one HTML file.

    It holds the scores with their intervals, the failures, and every sample with its prompt, prediction and
    references. Any browser opens it, and it asks the network for nothing. An older report is replaced.
    """
    from nlptasks.evaluation.report import report as write_report
    from nlptasks.plugin.isolation import stdout_aside

    with stdout_aside():
        path = write_report(run, output, by=by, ask=ask)
    console.say(str(path))


def _found(folder: Path | None) -> list[FinishedRun]:
    """Return the runs of a folder; a damaged one is told of and left out."""
    from nlptasks.errors import InputError, RunError
    from nlptasks.evaluation.source import open_run

    if folder is not None and not folder.is_dir():
        raise InputError(f"No such folder: {folder}")
    places = [*Path("runs").glob("*/run.json"), *Path().glob("*.jsonl.run/run.json")]
    files = places if folder is None else folder.rglob("run.json")
    found = []
    for file in sorted(files, key=lambda file: file.stat().st_mtime, reverse=True):
        try:
            found.append(open_run(file.parent))
        except RunError as error:
            console.note(str(error))
    return found


def _facts(found: FinishedRun) -> dict[str, Any]:
    run = asdict(found.run)
    shown = ("status", "message", "data", "counts", "seconds", "prompt_tokens", "completion_tokens", "environment")
    return {
        "run": str(found.path),
        "task": found.task,
        "model": run["fingerprint"]["model"],
        "options": run["fingerprint"]["options"],
        "chosen": found.chosen,
        "backend": run["fingerprint"]["backend"],
        **{name: run[name] for name in shown},
        "results": run["results"],
    }
