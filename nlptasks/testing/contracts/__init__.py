"""What the documentation promises of each kind of plugin, as pytest classes: one file per kind."""

from __future__ import annotations

from collections.abc import Mapping

from nlptasks.plugin.spec import Kind
from nlptasks.testing.contracts.backend import BackendContract
from nlptasks.testing.contracts.benchmark import BenchmarkContract
from nlptasks.testing.contracts.metric import MetricContract
from nlptasks.testing.contracts.plugin import PluginContract
from nlptasks.testing.contracts.task import TaskContract

CONTRACTS: Mapping[Kind, type[PluginContract]] = {
    one.kind: one for one in (TaskContract, BackendContract, MetricContract, BenchmarkContract)
}
"""The contract of each kind of thing."""

__all__ = ["CONTRACTS", "BackendContract", "BenchmarkContract", "MetricContract", "PluginContract", "TaskContract"]
