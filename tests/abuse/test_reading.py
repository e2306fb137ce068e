"""Files of rows, of texts and of published data sets: each row ends in a line of output, or all in one of error."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptasks.backends.echo import load as echo
from nlptasks.data import Columns, dump_line, output_row, plain_column, read_rows, read_text, unpacked_text
from nlptasks.engine import Engine
from nlptasks.evaluation.json_file import read_json
from nlptasks.job import load_task, task_options
from nlptasks.records import Sample
from tests.abuse.damage import JSON, content, fuzzed, orderly

TASKS = ("summarization", "translation", "question-answering", "chat", "text-generation")
ROWS: list[dict[str, Any]] = [
    {"id": "a", "document": "Ein Satz. Noch einer!", "source": "Hallo Welt", "target_lang": "en", "message": "Hi"},
    {
        "id": 2,
        "document": ["Eins", "Zwei"],
        "source": "你好。",
        "target_lang": "de",
        "question": "Wer?",
        "context": "Ich.",
    },
    {"question": "何?", "context": [{"text": "これ。", "name": "x"}], "messages": [{"role": "user", "content": "?"}]},
]
LINES = b"".join(dump_line(row) for row in ROWS)
TABLE = 'id,document,source,target_lang\r\n1,"Ein ""Satz"".",Hallo,en\r\n2,"a\nb",你好,de\r\n'.encode()
TABS = TABLE.replace(b",", b"\t")
TEXTS = "Erste Zeile\nzweite\r\n\n第三行\u2028x\n".encode()
SQUAD = json.dumps(
    {"data": [{"title": "t", "paragraphs": [{"context": "Er ging.", "qas": [{"id": "q", "question": "Wer?"}]}]}]}
).encode()


def parquet() -> bytes:
    """Rows in Parquet."""
    import pyarrow
    import pyarrow.parquet

    file = io.BytesIO()
    table = pyarrow.table({"document": ["Ein Satz.", None], "source": ["a", "b"], "target_lang": ["en", "de"]})
    pyarrow.parquet.write_table(table, file)
    return file.getvalue()


SOUND = {".jsonl": LINES, ".csv": TABLE, ".tsv": TABS, ".txt": TEXTS, ".parquet": parquet()}


def work(task_name: str, path: Path) -> list[dict[str, Any]]:
    """Return the rows that come of the rows of a file, as they are written and read again."""
    task = load_task(task_name)
    rows = read_rows(path, plain_column(task))
    samples = Columns(task, defaults={"target_lang": "en"}).samples(rows, path.name)
    records = Engine(task, task_options(task, {}), echo("")).run(samples)
    lines = [dump_line(output_row(record)) for record in records]
    assert all(line.count(b"\n") == 1 for line in lines)
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("ending", SOUND)
def test_files_of_rows(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"rows{ending}"

    @fuzzed
    @given(content(SOUND[ending]), st.sampled_from(TASKS))
    def check(data: bytes, task: str) -> None:
        path.write_bytes(data)
        for row in orderly(work, task, path) or ():
            assert ("prediction" in row) != ("error" in row)

    check()


def test_packed_files(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"

    @fuzzed
    @given(content(gzip.compress(LINES, mtime=0)))
    def check(data: bytes) -> None:
        path.write_bytes(data)
        orderly(work, "summarization", path)
        orderly(unpacked_text, path)

    check()


def test_texts(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"

    @fuzzed
    @given(content(TEXTS))
    def check(data: bytes) -> None:
        path.write_bytes(data)
        text = orderly(read_text, path)
        assert text is None or isinstance(text, str)

    check()


def test_published_files(tmp_path: Path) -> None:
    path = tmp_path / "data.json"

    @fuzzed
    @given(content(SQUAD, LINES, json.dumps(ROWS).encode()))
    def check(data: bytes) -> None:
        path.write_bytes(data)
        orderly(lambda: list(read_json(path, "text")))

    check()


COLUMNS = st.sampled_from(sorted({name for row in ROWS for name in row} | {"x"}))


@fuzzed
@given(st.lists(st.dictionaries(COLUMNS, JSON), min_size=1, max_size=4), st.sampled_from(TASKS))
def test_rows_of_any_values(rows: list[dict[str, Any]], task_name: str) -> None:
    task = load_task(task_name)
    numbered = iter([(index, row) for index, row in enumerate(rows)])
    items = orderly(lambda: list(Columns(task, defaults={"target_lang": "en"}).samples(numbered, "rows")))
    for record in Engine(task, task_options(task, {}), echo("")).run(items or []):
        assert json.loads(dump_line(output_row(record))).keys() & {"prediction", "error"}
    assert items is None or len(items) == len(rows)
    assert all(item.input is not None for item in items or () if isinstance(item, Sample))
