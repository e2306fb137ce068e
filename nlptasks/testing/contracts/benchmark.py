"""What is asked of a benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytest

from nlptasks.benchmarks import Benchmark
from nlptasks.data import Columns, column_names
from nlptasks.errors import NLPTasksError
from nlptasks.job import AnyTask, load_task
from nlptasks.plugin import registry
from nlptasks.records import Record
from nlptasks.testing.contracts.plugin import PluginContract, fail, require, without_options
from nlptasks.text import language_code


class BenchmarkContract(PluginContract):
    """The checks of a benchmark. A subclass says its ``name``, best also ``published``: a few rows as its authors,
    or the Hub, publish them.
    """

    kind = "benchmark"
    published: ClassVar[Sequence[Mapping[str, Any]]] = ()

    @property
    def benchmark(self) -> Benchmark:
        """Return the benchmark."""
        __tracebackhide__ = True
        found = self.target
        if not isinstance(found, Benchmark):
            fail(f"{self.entry.spec.target} is a {type(found).__name__}: make it a Benchmark")
        return found

    @property
    def task(self) -> AnyTask:
        """Return its task."""
        __tracebackhide__ = True
        try:
            return load_task(self.benchmark.task)
        except NLPTasksError as error:
            fail(f"its task: {error}")

    @property
    def _rows(self) -> list[Any]:
        __tracebackhide__ = True
        if not self.published:
            pytest.skip("the contract has no rows: published = [{...}]")
        try:
            return [row for _, row in self.benchmark.rows(enumerate(self.published))]
        except NLPTasksError as error:
            fail(f"{error} Mend columns or expand")

    def test_it_declares_itself(self) -> None:
        """It has the name it is registered under, a licence, a citation, and the address it is published at."""
        found, registered = self.benchmark, self.entry.spec.name
        require(found.name == registered, f"its name is {found.name!r}: it is registered as {registered!r}")
        for what in ("licence", "citation", "url"):
            require(getattr(found, what), f"it has no {what}: who uses the figures needs to know")

    def test_its_columns_are_its_tasks(self) -> None:
        """Its mapping fills columns that its task reads."""
        task, columns = self.task, self.benchmark.columns
        first, *_ = known = [n for field, info in task.Input.model_fields.items() for n in column_names(field, info)]
        named = ", ".join(known)
        require(
            set(known) & set(columns), f"no column of {task.name} is mapped: columns = {{{first!r}: ...}} ({named})"
        )

    def test_its_languages_are_codes(self) -> None:
        """Its languages are BCP-47 codes."""
        for what in ("lang", "target_lang"):
            code = getattr(self.benchmark, what)
            if code is None:
                continue
            try:
                right = language_code(code)
            except NLPTasksError as error:
                fail(f"{what}: {error}")
            require(code == right, f"{what} is {code!r}: write {right!r}")

    def test_its_metrics_exist(self) -> None:
        """There is a metric to score it with: its own, or its task's."""
        metrics = self.benchmark.metrics or tuple(self.task.metrics)
        require(metrics, f"neither it nor its task {self.task.name} names a metric: metrics = ('rouge',)")
        require(not isinstance(metrics, str), f"metrics is a text: make it a tuple, ({metrics!r},)")
        for metric in metrics:
            try:
                registry().find("metric", without_options(metric))
            except NLPTasksError as error:
                fail(f"its metrics: {error}")

    def test_published_rows_become_samples(self) -> None:
        """Published rows become samples of its task, with references where its metrics read them."""
        rows, task = self._rows, self.task
        require(rows, "no published row is left: mend expand")
        try:
            items = list(Columns(task).samples(enumerate(rows), self.name))
        except NLPTasksError as error:
            fail(f"{error} Mend the mapping: columns = {{...}}")
        for item in items:
            if isinstance(item, Record):
                fail(f"{task.name} refuses a row: {item.result.message}. Mend columns or expand")
            has = item.references is not None or not self._reads_references(task)
            require(has, f"a sample has no references: map {task.reference_column!r} to the column that holds them")

    def test_rows_are_the_same_twice(self) -> None:
        """The same published rows make the same samples, and are not changed."""
        before = repr(self.published)
        first, second = self._rows, self._rows
        require(repr(self.published) == before, "expand changes the row it is given: return a new one, {**row, ...}")
        require(first == second, "expand gives other rows the second time: no chance in it, and no memory")

    def _reads_references(self, task: AnyTask) -> bool:
        metrics = self.benchmark.metrics or task.metrics
        return any(
            getattr(registry().load("metric", without_options(one)), "reads_references", True) for one in metrics
        )
