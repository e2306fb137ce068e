"""``nlptasks plugins check``: does a plugin keep what the documentation promises?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nlptasks.cli import console
from nlptasks.cli.exits import Exit

if TYPE_CHECKING:
    from nlptasks.checking.report import Finding

MARKS = {"passed": ("ok", "green"), "failed": ("FAIL", "red"), "skipped": ("skip", "yellow")}


@click.command()
@click.argument("what", metavar="[NAME|PATH]", required=False)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=120.0,
    show_default=True,
    help="Seconds that the checks of one plugin may take.",
)
@click.option("--model", default="", help="The model to check a backend with: what follows its name and a slash.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(what: str | None, timeout: float, model: str, as_json: bool) -> int:
    """Run the contracts on a plugin, without a test of its own: what passes, what fails, how to mend it.

    NAME is an installed plugin; PATH a single file, or the folder of a package, installed or not. Without either, all
    plugins of others are checked. Each runs in a process of its own.
    """
    import tempfile

    from nlptasks.checking.run import check as run_checks
    from nlptasks.checking.subject import find

    findings: dict[str, list[Finding]] = {}
    if model and Path(model).exists():
        model = str(Path(model).resolve())  # the checks run in a folder of their own
    with tempfile.TemporaryDirectory() as folder:
        for number, subject in enumerate(find(what, Path(folder))):
            scratch = Path(folder) / str(number)
            scratch.mkdir()
            with console.waiting(f"checking {subject.name}"):
                findings[subject.name] = run_checks(subject, scratch, timeout, model)
    if as_json:
        console.say_json([{"plugin": name, **asdict(one)} for name, found in findings.items() for one in found])
    else:
        _print(findings)
    failed = any(one.result == "failed" for found in findings.values() for one in found)
    return Exit.FAILED if failed else Exit.DONE


def _print(findings: Mapping[str, Sequence[Finding]]) -> None:
    rows = []
    for name, found in findings.items():
        for one in found:
            mark, colour = MARKS[one.result]
            rows.append((name, one.what, one.check, click.style(mark, colour), one.note))
    console.table(("plugin", "what", "check", "result", "how to mend"), rows)
    if not findings:
        console.note("Nothing to check: no plugin of others is installed. Name a .py file or a folder.")
    for name, found in findings.items():
        counts = [f"{sum(one.result == result for one in found)} {result}" for result in MARKS]
        console.note(f"{name}: {', '.join(counts)}")
