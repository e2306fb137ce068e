"""``runs report``: one HTML file that holds everything about runs and asks the network for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nlptasks.errors import RunError, UsageError
from nlptasks.evaluation.report.contents import gather
from nlptasks.evaluation.report.page import MARK, page
from nlptasks.evaluation.source import open_run


def report(
    runs: Sequence[str | Path], output: str | Path | None = None, *, by: str | None = None, ask: bool = False
) -> Path:
    """Write the report of a run, or of several on the same data side by side, and return its path.

    Texts are those that the runs' logs kept, as guards let them pass.

    Args:
        runs: directories or output files.
        output: the file to write; None is ``report.html`` in the directory of the first run.
        by: a column by whose values to break the scores down.
        ask: whether to ask the judges and encoders of metrics again, for their scores of each sample.

    Raises:
        UsageError: no run is named, there is nothing to report, or ``output`` is a file of another kind.
        RunError: they are no runs, or not of the same task and data, or the file cannot be written.
        PluginError: the task cannot be loaded.
    """
    if not runs:
        raise UsageError("Name a run to report on, or several.")
    found = [open_run(run) for run in runs]
    path = Path(output) if output else found[0].path / "report.html"
    _check(path)
    text = page(gather(found, by, ask))
    scratch = path.with_name(path.name + ".new")
    try:
        scratch.write_text(text, "utf-8")
        scratch.replace(path)
    except OSError as error:
        raise RunError(f"Cannot write {path}: {error.strerror}. Name another file: --output FILE") from None
    return path


def _check(path: Path) -> None:
    """Check that nothing but an older report would be lost."""
    try:
        with path.open("rb") as file:
            ours = MARK.encode() in file.read(1000)
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror}. Name another file: --output FILE") from None
    if not ours:
        raise UsageError(f"{path} exists and is no report, so it is left as it is: name another --output.")
