"""The kit that plugin authors test with: a contract to subclass for each kind of thing a plugin contributes.

    from nlptasks.testing import TaskContract

    class TestKeywords(TaskContract):
        name = "keywords"
        row = {"text": "The ferry crosses the harbour.", "keywords": ["ferry", "harbour"]}

The fixtures of ``nlptasks.testing.fixtures`` come with pytest by themselves. A contract is imported on first use: that
of metrics brings evaluate, which takes seconds.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nlptasks.testing.contracts.backend import BackendContract as BackendContract
    from nlptasks.testing.contracts.benchmark import BenchmarkContract as BenchmarkContract
    from nlptasks.testing.contracts.metric import MetricContract as MetricContract
    from nlptasks.testing.contracts.task import TaskContract as TaskContract

__all__ = ["BackendContract", "BenchmarkContract", "MetricContract", "TaskContract"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'nlptasks.testing' has no attribute {name!r}")
    kind = name.removesuffix("Contract").lower()
    return getattr(importlib.import_module(f"nlptasks.testing.contracts.{kind}"), name)
