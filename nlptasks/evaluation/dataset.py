"""What ``--data`` names: a file, a benchmark on the Hub, or a benchmark's own files (``NAME=PATH``); from Python also
the rows themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from nlptasks.benchmarks import Benchmark
from nlptasks.data import READERS, Numbered, Row, place, read_rows, unpacked_text
from nlptasks.errors import InputError, PluginError, UnknownNameError, UsageError
from nlptasks.evaluation.hub import hub_rows
from nlptasks.evaluation.json_file import read_json
from nlptasks.plugin import registry

Data = str | Path | Iterable[Row]
"""What can be tested on, for example a list of dicts or a split of the package datasets."""


@dataclass(frozen=True)
class Dataset:
    """Rows to be tested on: ``given`` ones, or those of a file or folder at ``path``, in the published form of a
    benchmark where there is one.

    A benchmark without a path is loaded from the Hub.
    """

    path: Path | None
    benchmark: Benchmark | None = None
    given: Sequence[Row] | None = None

    @classmethod
    def of(cls, data: Data, task: str) -> Dataset:
        """Return what ``data`` is or names for a task.

        Raises:
            InputError: a row is no mapping, or there are several splits.
            InputError, UnknownNameError, UsageError: see ``named``.
        """
        if isinstance(data, str | Path):
            return cls.named(str(data), task)
        if isinstance(data, Mapping):
            raise InputError(
                f"The data are a mapping of {', '.join(map(repr, data))}: give rows, such as those of one."
            )
        rows = list(data)
        for number, row in enumerate(rows, 1):
            if not isinstance(row, Mapping):
                raise InputError(f"Row {number} of the data is a {type(row).__name__}: give a dict of columns.")
        return cls(None, given=rows)

    @classmethod
    def named(cls, given: str, task: str) -> Dataset:
        """Return what ``given`` names for a task: a path, a benchmark, or ``benchmark=path``.

        Raises:
            InputError, UnknownNameError: there is no such path or benchmark.
            UsageError: it is a benchmark of another task.
        """
        name, equals, path = given.partition("=")
        if "://" in name:
            return cls(place(given))
        if Path(given).exists() or (not equals and _is_path(given)):
            return cls(Path(given))
        benchmark = _benchmark(name)
        if benchmark.task != task:
            raise UsageError(
                f"{name} is a benchmark of {benchmark.task}: nlptasks eval {benchmark.task} --data {given}"
            )
        return cls(Path(path) if equals else None, benchmark)

    @property
    def name(self) -> str:
        """What to call it."""
        if self.benchmark:
            return self.benchmark.name
        if self.path is None:
            return "rows"
        name = self.path.resolve().name.removesuffix(".gz")
        return name.removesuffix(_ending(self.path)) or name

    @property
    def place(self) -> str:
        """Where its rows come from, in words."""
        if self.path:
            return str(self.path)
        if self.benchmark is None:
            return "given rows"
        return "/".join(filter(None, ("hub:" + self.benchmark.dataset, self.benchmark.config, self.benchmark.split)))

    def rows(self, first_column: str) -> Numbered:
        """Yield the rows under the task's own names; ``first_column`` names the column of plain text.

        Raises:
            InputError: there is nothing there, or it is not in the benchmark's published form.
        """
        if self.given is not None:
            return enumerate(self.given)
        if self.benchmark is None:
            assert self.path
            if _ending(self.path) == ".json" and self.path.is_file():
                return enumerate(read_json(self.path, first_column))
            return read_rows(self.path, first_column)
        return self.benchmark.rows(_published(self.benchmark, self.path))


def _is_path(given: str) -> bool:
    return "/" in given or _ending(Path(given)) in (*READERS, ".json")


def _benchmark(name: str) -> Benchmark:
    try:
        benchmark = registry().load("benchmark", name)
    except UnknownNameError as error:
        raise UnknownNameError(
            "benchmark",
            name,
            [entry.spec.name for entry in registry().entries("benchmark")],
            "And there is no such file. See: nlptasks benchmarks list",
        ) from error
    if not isinstance(benchmark, Benchmark):
        raise PluginError(f"The benchmark {name!r} is {benchmark!r}, which is no Benchmark.")
    return benchmark


def _published(benchmark: Benchmark, path: Path | None) -> Numbered:
    """Yield the published rows below a path, or of the Hub."""

    def read(config: str | None) -> Numbered:
        return _read(benchmark, path, config) if path else hub_rows(benchmark, config)

    if benchmark.parallel:
        return _joined({key: read(config) for key, config in benchmark.parallel.items()})
    return read(benchmark.config)


def _read(benchmark: Benchmark, path: Path, config: str | None) -> Numbered:
    """Yield the rows of a file; of a folder's files those of the config and split, where their names tell."""
    if not path.is_dir():
        return _file(path)
    files = [file for file in sorted(path.rglob("*")) if _ending(file) in (*READERS, ".json") and file.is_file()]
    for part in (config, benchmark.split):
        files = [file for file in files if part and part in str(file.relative_to(path))] or files
    if not files:
        raise InputError(f"{path} holds no {', '.join((*READERS, '.json'))} file.")
    return enumerate(row for file in files for _, row in _file(file))


def _file(path: Path) -> Numbered:
    if _ending(path) != ".json":
        return read_rows(path, "text")
    return enumerate(_json(path))


def _json(path: Path) -> Iterator[Row]:
    """Yield the objects of a JSON list, or those under ``data`` as SQuAD has it. JSON Lines may be called .json too."""
    text = unpacked_text(path)
    try:
        lines = [line for line in text.splitlines() if line.strip()]
        value = json.loads(text) if len(lines) < 2 or not _is_object(lines[0]) else list(map(json.loads, lines))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON: {error}") from None
    rows = value.get("data", [value]) if isinstance(value, dict) else value
    if not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
        raise InputError(f"{path} holds no list of JSON objects.")
    yield from rows


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _ending(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).suffix.lower()


def _joined(sides: dict[str, Numbered]) -> Numbered:
    """Yield rows that belong together, each under its side's key; they stand in the same order everywhere."""
    for index, rows in enumerate(zip_longest(*sides.values())):
        if None in rows:
            raise InputError(f"Not as many rows for {' and '.join(sides)}: after {index}, one side has no more.")
        yield index, {key: row for key, (_, row) in zip(sides, rows, strict=True)}
