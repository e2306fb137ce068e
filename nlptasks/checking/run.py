"""Checks a plugin in a process of its own, within a time limit: whatever it does, the caller goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from nlptasks.checking.report import Finding, Report
from nlptasks.checking.subject import Subject
from nlptasks.errors import MissingExtraError
from nlptasks.plugin.discovery import installed
from nlptasks.plugin.spec import PROJECT

LOADS = "It loads."


def check(subject: Subject, scratch: Path, seconds: float, model: str = "") -> list[Finding]:
    """Return what the contracts find; ``scratch`` is an empty folder, ``seconds`` the time limit.

    ``model`` is what follows the name of its backends, for those that need it.

    Raises:
        MissingExtraError: pytest, which runs the contracts, is not installed.
    """
    if find_spec("pytest") is None:
        raise MissingExtraError("Checking plugins", "testing")
    file = scratch / "report.jsonl"
    command = [sys.executable, "-B", "-m", "nlptasks.checking", str(file), subject.name, subject.distribution, model]
    process = subprocess.Popen(
        [*command, *([str(subject.file)] if subject.file else [])],
        cwd=scratch,
        env=_environment(subject),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        code = process.wait(seconds)
        trouble = f"it ended the process, with exit code {code}: never call os._exit, and mend what crashes"
    except subprocess.TimeoutExpired:
        trouble = f"it was not done within {seconds:g} seconds: mend what hangs, or give it more with --timeout"
    finally:
        _end(process)
    return list(_told(Report(file), trouble))


def _told(report: Report, trouble: str) -> Iterator[Finding]:
    """Yield the findings; a check that was begun and never ended failed by ``trouble``."""
    findings = list(report.read()) or [Finding("plugin", LOADS, "running")]
    for finding in findings:
        yield replace(finding, result="failed", note=trouble) if finding.result == "running" else finding


def _environment(subject: Subject) -> dict[str, str]:
    """Return the environment in which nlptasks finds its own plugins and this one, and no other."""
    own = [one.name for one in installed() if one.distribution == PROJECT]
    one = [] if subject.file else [f"{subject.name}@{subject.distribution}"]
    path = [str(Path(entry).resolve()) for entry in (*map(str, subject.path), *filter(None, sys.path))]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path),
        "NLPTASKS_PLUGINS": ",".join([*own, *one]),
        "NLPTASKS_STRICT_PLUGINS": "0",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and all that it started."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
