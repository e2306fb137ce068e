"""The page of what plugin authors test with, from the contracts and fixtures."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from docs.generate.words import code, prose, table
from nlptasks.testing import BackendContract, BenchmarkContract, MetricContract, TaskContract, fixtures
from nlptasks.testing.contracts.plugin import PluginContract

PAGE = """\
# Testing

`nlptasks plugins new` writes tests that subclass a contract from `nlptasks.testing`; `nlptasks plugins check` runs the
same contracts without tests. They need pytest: `pip install 'nlptasks[testing]'`. A contract is a pytest class. Its
class attributes say what is tested, its fixtures may be overridden, and each check that fails says in one line what
to mend. How they are used: [a task](../tutorials/task.md), [a backend](../tutorials/backend.md),
[a metric](../tutorials/metric.md), [a benchmark](../tutorials/benchmark.md).
"""
SHARED = """\
## All contracts

What is asked of every plugin, whatever it contributes:
"""
FIXTURES = """\
## Fixtures

They come with pytest by themselves where nlptasks is installed.
"""
OFFERED = ("echo_backend", "scripted_backend", "fault_server", "tiny_model", "cli_runner")


def page() -> str:
    """Return the page."""
    parts = [PAGE, SHARED, _checks(PluginContract)]
    for kind in (TaskContract, BackendContract, MetricContract, BenchmarkContract):
        parts += [f"## {kind.__name__}\n", prose(kind.__doc__) + "\n", _checks(kind)]
    docs = [(code(name), prose(getattr(fixtures, name).__doc__)) for name in OFFERED]
    return "\n".join([*parts, FIXTURES, table(("fixture", "what it is"), docs)])


def _checks(kind: type) -> str:
    return table(("check", "what holds"), _documented(kind))


def _documented(kind: type) -> Iterator[tuple[str, str]]:
    for name, one in vars(kind).items():
        if name.startswith("test_") and inspect.isfunction(one):
            yield code(name), prose(one.__doc__)
