"""Rows of files, folders and stdin."""

from __future__ import annotations

import codecs
import contextlib
import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePath
from typing import IO, Any, cast

from nlptasks.data.place import is_here, reached
from nlptasks.errors import InputError, MissingExtraError
from nlptasks.records import Failure

Row = Mapping[str, Any]
Numbered = Iterator[tuple[int, Row | Failure]]


def read_rows(path: Path, first_column: str) -> Numbered:
    """Yield the rows of a file or folder with their positions; ``first_column`` names the column of plain text.

    ``-`` is JSON Lines from stdin. The ending tells the format: .jsonl, .csv, .tsv, .parquet, .txt (a
    row a line); ``.gz`` after it is unpacked. A folder gives one row for each .txt or .md file in it, or where it has
    none, the rows of all its files of these formats, by their names. ``place`` makes paths of URLs.

    Raises:
        InputError: no such file, an unknown format, or text that is not UTF-8.
    """
    if str(path) == "-":
        yield from _jsonl(sys.stdin.buffer)
        return
    with reached(path):
        if path.is_dir():
            yield from _folder(path, first_column)
        elif not path.exists():
            raise InputError(f"No such file: {path}")
        else:
            yield from _file(path, first_column)


def _file(path: Path, column: str) -> Numbered:
    reader = _reader(path.name)
    if reader is None:
        raise InputError(f"{path}: unknown format. Use {', '.join(READERS)} (.gz may follow) or a folder.")
    if reader is _parquet:
        yield from _parquet(path)
        return
    with _opened(path) as file:
        try:
            yield from reader(file, column)
        except UnicodeDecodeError as error:
            raise InputError(not_utf8(str(path), error)) from None
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise InputError(f"{path} is no complete gzip file: {error}") from None
        except csv.Error as error:
            raise InputError(f"{path} is no well-formed table: {error}") from None


def _reader(name: str) -> Any:
    return READERS.get(PurePath(name.removesuffix(".gz")).suffix.lower())


def _opened(path: Path) -> IO[bytes]:
    if path.suffix != ".gz":
        return path.open("rb")
    return cast("IO[bytes]", gzip.open(path if is_here(path) else path.open("rb")))


def count_lines(path: Path) -> int | None:
    """Return how many lines a plain-text format has, which is about its number of rows; None for others and URLs."""
    if path.suffix.lower() not in (".jsonl", ".csv", ".tsv", ".txt") or not is_here(path):
        return None
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def _jsonl(file: IO[bytes], _: str = "") -> Numbered:
    filled = ((number, line) for number, line in enumerate(file, 1) if line.strip())
    for index, (number, line) in enumerate(filled):
        yield index, _json_row(number, line)


def _json_row(number: int, line: bytes) -> Row | Failure:
    try:
        row = json.loads(line.removeprefix(codecs.BOM_UTF8).decode())
    except ValueError as error:  # covers JSONDecodeError and UnicodeDecodeError
        return Failure("input", f"line {number} is no JSON: {error}")
    except RecursionError:
        return Failure("input", f"line {number} is nested too deeply")
    return row if isinstance(row, dict) else Failure("input", f"line {number} is no JSON object: write {{...}}")


def _table(delimiter: str | None) -> Callable[[IO[bytes], str], Numbered]:
    def read(file: IO[bytes], _: str) -> Numbered:
        csv.field_size_limit(2**31 - 1)
        with _decoded(file, newline="") as text:
            header = text.readline()
            # German spreadsheets write semicolons into .csv
            separator = delimiter or (";" if ";" in header and "," not in header else ",")
            names = next(csv.reader([header], delimiter=separator), [])
            for index, cells in enumerate(cells for cells in csv.reader(text, delimiter=separator) if cells):
                if len(cells) > len(names):
                    yield index, Failure("input", f"row {index + 1} has {len(cells)} cells for {len(names)} columns")
                else:
                    yield index, dict(zip(names, cells, strict=False))

    return read


def _text(file: IO[bytes], column: str) -> Numbered:
    with _decoded(file, newline="\n") as text:
        lines = (line.rstrip("\r\n") for line in text)
        for index, line in enumerate(line for line in lines if line.strip()):
            yield index, {column: line}


@contextlib.contextmanager
def _decoded(file: IO[bytes], newline: str) -> Iterator[io.TextIOWrapper]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline=newline)
    try:
        yield text
    finally:
        text.detach()  # whoever opened the file closes it


def _parquet(path: Path) -> Numbered:
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ModuleNotFoundError:
        raise MissingExtraError("Reading Parquet", "parquet") from None
    try:
        with path.open("rb") as raw, parquet.ParquetFile(raw) as file:
            rows = (row for batch in file.iter_batches(256) for row in batch.to_pylist())
            yield from enumerate(rows)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path} is no whole Parquet file: {' '.join(str(error).split())}") from None


def _folder(path: Path, column: str) -> Numbered:
    files = sorted(file for file in path.rglob("*") if file.is_file())
    texts = [file for file in files if file.suffix in (".txt", ".md")]
    shards = [file for file in files if _reader(file.name)]
    if not shards and not texts:
        raise InputError(f"{path} holds no .txt or .md file, and none of {', '.join(READERS)}.")
    rows = (_text_row(file, path, column) for file in texts) if texts else _shards(shards, path, column)
    yield from enumerate(rows)


def _shards(files: list[Path], folder: Path, column: str) -> Iterator[Row | Failure]:
    for file in files:
        for _, row in _file(file, column):
            place = file.relative_to(folder)
            yield replace(row, message=f"{place}: {row.message}") if isinstance(row, Failure) else row


def _text_row(file: Path, folder: Path, column: str) -> Row | Failure:
    try:
        return {"id": str(file.relative_to(folder)), column: read_text(file)}
    except InputError as error:
        return Failure("input", str(error))


READERS: dict[str, Any] = {
    ".jsonl": _jsonl,
    ".csv": _table(None),
    ".tsv": _table("\t"),
    ".parquet": _parquet,
    ".txt": _text,
}


def read_text(path: Path, hint: str = "") -> str:
    """Return the text of a file, of stdin for ``-``; ``hint`` is added where there is no such file.

    Raises:
        InputError: no such file, a folder, or not UTF-8 text.
    """
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"No such file: {path}.{hint}") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    if b"\0" in data[:8192]:
        raise InputError(f"{path} is no text file: convert it to plain UTF-8 text first.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(not_utf8(str(path), error)) from None


def unpacked_text(path: Path) -> str:
    """Return the text of a file, whatever is in it; ``.gz`` is unpacked.

    Raises:
        InputError: it cannot be read or unpacked, or is not UTF-8.
    """
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(not_utf8(str(path), error)) from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {error}") from None


def not_utf8(name: str, error: UnicodeDecodeError) -> str:
    """Return the line that tells what to do with another encoding."""
    byte = f"0x{error.object[error.start]:02x}"
    return f"{name} is not UTF-8 (byte {byte}): convert it: iconv -f ENCODING -t UTF-8, with LATIN1, GB18030 ..."
