"""Where rows go in the end: JSON Lines here, another format, or somewhere else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import IO, Any

from nlptasks.data.place import is_here, why
from nlptasks.errors import MissingExtraError, RunError, UsageError

FORMATS = (".jsonl", ".parquet")
GROUP = 10_000
"""Rows that are held at once."""


def working_file(wanted: Path) -> Path:
    """Return the file of JSON Lines that rows are worked into: ``wanted`` itself where it can be added to.

    Otherwise it stands beside it, or for a URL in the current folder, until ``deliver`` has its rows.

    Raises:
        UsageError: there is no such format, or nothing can be written there.
        MissingExtraError: the format needs an extra.
    """
    if wanted.suffix not in FORMATS:
        raise UsageError(f"--output {wanted}: rows are written as {' or '.join(FORMATS)}: name such a file.")
    if getattr(wanted, "protocol", "") in ("http", "https"):
        raise UsageError(
            f"--output {wanted}: a web server takes no files: name a store, such as s3://, or a file here."
        )
    if wanted.suffix == ".parquet" and find_spec("pyarrow") is None:
        raise MissingExtraError("Writing Parquet", "parquet")
    if is_here(wanted):
        return wanted if wanted.suffix == ".jsonl" else wanted.with_name(wanted.name + ".jsonl")
    return Path(wanted.name if wanted.suffix == ".jsonl" else wanted.name + ".jsonl")


def deliver(rows: Path, wanted: Path) -> None:
    """Copy rows of JSON Lines to where they are wanted; nothing where they are there.

    Raises:
        RunError: they cannot be written there; they remain where they are.
    """
    if rows == wanted:
        return
    write = _as_parquet if wanted.suffix == ".parquet" else shutil.copyfileobj
    scratch = wanted.with_name(wanted.name + ".new") if is_here(wanted) else wanted
    try:
        with rows.open("rb") as source, scratch.open("wb") as target:
            write(source, target)
        if scratch is not wanted:
            scratch.replace(wanted)
    except Exception as error:  # a store, and the way there, may raise anything
        kept = f"The rows are in {rows}: mend that and run the same command, or use them as they are."
        raise RunError(f"{wanted} cannot be written: {why(error)}. {kept}") from error


def _as_parquet(source: IO[bytes], target: IO[bytes]) -> None:
    """Write rows as Parquet: read once for the columns' types, and once for what is in them."""
    import pyarrow
    import pyarrow.parquet as parquet

    types: dict[str, Any] = {}
    for rows in _groups(source):
        for name in dict.fromkeys(name for row in rows for name in row):
            found = _type([row.get(name) for row in rows])
            types[name] = _common(types[name], found) if name in types else found
    source.seek(0)
    schema = pyarrow.schema([(name, type_ or pyarrow.string()) for name, type_ in types.items()])
    with parquet.ParquetWriter(target, schema) as file:
        for rows in _groups(source):
            columns = {name: _column([row.get(name) for row in rows], type_) for name, type_ in types.items()}
            file.write_table(pyarrow.table(columns, schema=schema))


def _type(values: list[Any]) -> Any:
    """Return the Arrow type of all values, None where there is none."""
    import pyarrow

    try:
        found = pyarrow.array(values).type
    except (pyarrow.ArrowException, OverflowError):
        return None
    return None if "struct<>" in str(found) else found  # Parquet knows no object without members


def _common(one: Any, other: Any) -> Any:
    """Return the Arrow type that has room for both, None where there is none."""
    import pyarrow

    if one is None or other is None:
        return None
    try:
        return (
            pyarrow.unify_schemas(
                [pyarrow.schema([("it", type_)]) for type_ in (one, other)], promote_options="permissive"
            )
            .field("it")
            .type
        )
    except pyarrow.ArrowException:
        return None


def _column(values: list[Any], type_: Any) -> Any:
    """Return a column; where its values have no type in common, what is no text stands in it as JSON."""
    import pyarrow

    if type_ is None:
        texts = [each if isinstance(each, str | None) else json.dumps(each, ensure_ascii=False) for each in values]
        return pyarrow.array(texts, pyarrow.string())
    return pyarrow.array(values, type_)


def _groups(source: IO[bytes]) -> Iterator[list[dict[str, Any]]]:
    while rows := [json.loads(line) for line in islice(source, GROUP)]:
        yield rows
