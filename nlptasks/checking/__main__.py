"""The checking process: ``python -m nlptasks.checking REPORT PLUGIN DISTRIBUTION MODEL [FILE]``."""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from nlptasks.checking.report import Finding, Report, Result
from nlptasks.checking.run import LOADS
from nlptasks.errors import NLPTasksError
from nlptasks.plugin import manager
from nlptasks.plugin.isolation import reason, whereabouts
from nlptasks.plugin.manager import Plugin

MODULE = """\
from pathlib import Path
from nlptasks.checking.cases import cases
from nlptasks.plugin import manager
globals().update({{one.__name__: one for one in cases(manager().plugins[{name!r}], {file}, {model!r})}})
"""
"""The test module that pytest collects."""


class Reporter:
    """The pytest plugin that writes each check into the report, as it begins and as it ends."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Tell when the contracts themselves cannot be read, as a mistake in nlptasks or pytest would make it."""
        if report.failed:
            note = " ".join(report.longreprtext.split())[-300:]
            self._report.write(Finding("plugin", "Its contracts can be collected.", "failed", note))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._write(item, "running")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        told = yield
        if call.when == "call" or not told.passed:
            self._write(item, told.outcome, _note(call.excinfo.value) if call.excinfo else "")
        return told

    def _write(self, item: pytest.Item, result: Result, note: str = "") -> None:
        assert isinstance(item, pytest.Function)
        words = (item.function.__doc__ or item.originalname).strip()
        check = f"{words} [{item.callspec.id}]" if hasattr(item, "callspec") else words
        self._report.write(Finding(getattr(item.cls, "what", "plugin"), check, result, note))


def _note(error: BaseException) -> str:
    """Return in one line what a check says: how to mend, why it was skipped, or what was raised where."""
    if isinstance(error, (pytest.fail.Exception, pytest.skip.Exception, NLPTasksError)):
        return " ".join(str(error).split())
    return f"it raised {reason(error)} ({whereabouts(error)})"


def main(report: Report, name: str, distribution: str, model: str, file: Path | None) -> None:
    """Load the plugin and run its checks."""
    report.write(Finding("plugin", LOADS, "running"))
    try:
        plugin = _loaded(name, distribution, file)
    except NLPTasksError as error:
        report.write(Finding("plugin", LOADS, "failed", " ".join(str(error).split())))
        return
    report.write(Finding("plugin", LOADS, "passed"))
    module = Path("test_contract.py")
    module.write_text(
        MODULE.format(name=plugin.name, file=f"Path({str(file)!r})" if file else None, model=model), "utf-8"
    )
    Path("pytest.ini").write_text("[pytest]\n", "utf-8")
    options = ["-q", "-p", "no:cacheprovider", "-p", "nlptasks.testing.fixtures", "-c", "pytest.ini", str(module)]
    pytest.main(options, plugins=[Reporter(report)])


def _loaded(name: str, distribution: str, file: Path | None) -> Plugin:
    if file:
        manager().add_file(file)
        return manager().plugins[name]
    plugins: dict[str, Any] = manager().plugins
    plugin: Plugin = plugins.get(f"{name}@{distribution}") or plugins[name]
    if plugin.state != "loaded":
        raise NLPTasksError(plugin.error)
    return plugin


if __name__ == "__main__":
    told, called, origin, chosen, *only = sys.argv[1:]
    main(Report(Path(told)), called, origin, chosen, Path(only[0]) if only else None)
