"""The benchmark contract: a published dataset, and how its rows become a task's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nlptasks.data import Numbered, Row
from nlptasks.errors import InputError
from nlptasks.records import Failure

Expand = Callable[[Row], Iterable[Row]]


@dataclass(frozen=True)
class Benchmark:
    """A named dataset with a task, a column mapping, metrics and a licence.

    ``columns`` maps a column of the task to the dataset's: ``{"document": "article"}``. A dot leads into a nested
    value, through lists too: ``answers.text``. ``expand`` is for what no mapping can do: it takes a published row
    and gives those to map, none or several.

    ``dataset`` is an id on the Hugging Face Hub, "" where the Hub holds none, so that it is read from local files
    only; ``config``, ``split`` and ``revision`` are as for ``datasets.load_dataset``. ``parallel`` names several
    configs instead, by the key under which each one's rows stand: ``{"source": "eng_Latn", "target": "deu_Latn"}``.

    ``metrics`` are the task's own where there are none. ``lang`` and ``target_lang`` are BCP-47 codes, and
    columns of every row; a translation's are ``source_lang`` and ``target_lang`` there.
    """

    name: str
    task: str
    columns: Mapping[str, str]
    dataset: str = ""
    config: str | None = None
    split: str = "test"
    revision: str | None = None
    parallel: Mapping[str, str] = field(default_factory=dict)
    expand: Expand | None = None
    metrics: tuple[str, ...] = ()
    lang: str | None = None
    target_lang: str | None = None
    licence: str = ""
    citation: str = ""
    url: str = ""

    def rows(self, published: Numbered) -> Numbered:
        """Yield the task's rows of published ones; a row that could not be read stays a Failure.

        Raises:
            InputError: a row lacks a column of the mapping.
        """
        return enumerate(self._rows(published))

    def _rows(self, published: Numbered) -> Iterator[Row | Failure]:
        for _, row in published:
            if isinstance(row, Failure):
                yield row
            else:
                yield from map(self._mapped, self.expand(row) if self.expand else [row])

    def _mapped(self, row: Row) -> Row:
        found = {ours: self._pick(row, theirs) for ours, theirs in self.columns.items()}
        languages = (
            {"source_lang": self.lang, "target_lang": self.target_lang} if self.target_lang else {"lang": self.lang}
        )
        return {name: value for name, value in {**found, **languages}.items() if value is not None}

    def _pick(self, row: Row, path: str) -> Any:
        value: Any = row
        for name in path.split("."):
            try:
                value = [one[name] for one in value] if isinstance(value, list) else value[name]
            except (KeyError, TypeError):
                there = ", ".join(row) or "none"
                raise InputError(
                    f"This is not the published form of {self.name}: no column {path!r}; there are: {there}."
                ) from None
        return value
