"""Rows of every format as samples."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AliasChoices, BaseModel, Field

from nlptasks import (
    Completion,
    Documents,
    Failure,
    Images,
    InputError,
    Message,
    Record,
    Request,
    Sample,
    Task,
    UnknownNameError,
)
from nlptasks.data import Columns, dump_line, output_row, read_rows, read_text

TEXTS = ["Hallo, Welt", "今天天气很好", 'with "quotes"', "line\nbreak"]


class Words(BaseModel):
    text: str
    target_lang: str | None = Field(None, validation_alias=AliasChoices("target_lang", "to"))
    times: int = 1


class Nothing(BaseModel):
    pass


class Reply(BaseModel):
    answer: str
    length: int = 0


class Example(Task[Words, Nothing, Reply]):
    name = "example"
    Input = Words
    Options = Nothing
    Output = Reply

    def prompt(self, sample: Sample, options: Nothing) -> Request:
        return Request((Message("user", sample.input.text),))

    def parse(self, sample: Sample, completion: Completion) -> Reply:
        return Reply(answer=completion.text)


def samples(path: Path, **columns: Any) -> list[Sample | Record]:
    return list(Columns(Example(), base=path.parent, **columns).samples(read_rows(path, "text"), str(path)))


def write(path: Path, texts: list[str]) -> Path:
    match path.name.partition(".")[2]:
        case "jsonl":
            path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")
        case "jsonl.gz":
            with gzip.open(path, "wt", encoding="utf-8") as file:
                file.writelines(json.dumps({"text": text}) + "\n" for text in texts)
        case "csv" | "tsv" as ending:
            with path.open("w", encoding="utf-8", newline="") as file:
                rows = csv.writer(file, delimiter="," if ending == "csv" else "\t")
                rows.writerows([["text", "n"], *([text, number] for number, text in enumerate(texts))])
        case "parquet":
            reason = "Parquet needs the extra: pip install 'nlptasks[parquet]'"
            parquet = pytest.importorskip("pyarrow.parquet", reason=reason)
            parquet.write_table(pytest.importorskip("pyarrow").table({"text": texts}), path)
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.csv", "a.tsv", "a.parquet"])
def test_every_format_gives_the_same_texts(tmp_path: Path, name: str) -> None:
    found = samples(write(tmp_path / name, TEXTS))
    assert [sample.input.text for sample in found if isinstance(sample, Sample)] == TEXTS
    assert [sample.index for sample in found if isinstance(sample, Sample)] == [0, 1, 2, 3]


def test_plain_text_is_a_row_a_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("eins\n\nzwei\r\n第三\u2028行\n", "utf-8")
    assert [row for _, row in read_rows(tmp_path / "a.txt", "text")] == [
        {"text": "eins"},
        {"text": "zwei"},
        {"text": "第三\u2028行"},
    ]


def test_a_folder_is_a_row_a_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.txt").write_text("B")
    (tmp_path / "sub" / "a.md").write_text("A")
    (tmp_path / "skip.bin").write_bytes(b"\0")
    (tmp_path / "c.txt").write_bytes(b"\xff")
    rows = [row for _, row in read_rows(tmp_path, "text")]
    assert rows[0] == {"id": "b.txt", "text": "B"}
    assert isinstance(rows[1], Failure)
    assert "UTF-8" in rows[1].message
    assert rows[2] == {"id": "sub/a.md", "text": "A"}


def test_a_german_spreadsheet(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("\ufefftext;to\nGröße;en\n".encode())
    [sample] = samples(tmp_path / "a.csv")
    assert isinstance(sample, Sample)
    assert (sample.input.text, sample.input.target_lang) == ("Größe", "en")


def test_columns_are_mapped_aliased_and_filled(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": 7, "article": "a", "to": "de", "reference": ["x", "y"]}\n{"article": "b"}\n')
    first, second = samples(path, mapping={"text": "article"}, defaults={"target_lang": "fr", "times": 3})
    assert isinstance(first, Sample)
    assert isinstance(second, Sample)
    assert (first.id, first.input.text, first.input.target_lang, first.input.times) == ("7", "a", "de", 3)
    assert first.references == ("x", "y")
    assert (second.id, second.input.target_lang, second.references) == ("1", "fr", None)


def test_a_row_that_does_not_fit_is_its_own_failure(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a"}\n{"text": "b", "times": "many"}\n{"txt": "c"}\n')
    good, wrong, missing = samples(path)
    assert isinstance(good, Sample)
    assert isinstance(wrong, Record)
    assert wrong.result.message.startswith("row 2: times:")
    assert isinstance(missing, Record)
    assert missing.result.message.startswith("row 3: text:")


def test_wrong_columns_stop_before_any_work(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"txt": "a"}\n')
    with pytest.raises(InputError, match="no column 'text'; it has: txt"):
        samples(path)
    with pytest.raises(UnknownNameError, match="Did you mean 'txt'"):
        samples(path, mapping={"text": "text_"})


def _torn_parquet() -> bytes:
    """A file whose end, which describes it, is sound, but not what it describes."""
    import pyarrow
    import pyarrow.parquet

    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"text": ["a", "b"]}), file)
    return b"PAR1" + bytes(12) + file.getvalue()[16:]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"text\nM\xfcller\n", "not UTF-8 (byte 0xfc)"),
        ("a.txt", b"M\xfcller\n", "not UTF-8"),
        ("a.parquet", b"PAR0", "no whole Parquet file"),
        ("a.parquet", _torn_parquet(), "no whole Parquet file"),
        ("a.jsonl.gz", b"\x1f\x8bxx", "gzip"),
        ("a.jsonl.gz", gzip.compress(b'{"text": "a"}\n', mtime=0)[:-9], "gzip"),
        ("a.xyz", b"", "unknown format"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        list(read_rows(tmp_path / name, "text"))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\x89PNG\r\n\0\0", "no text file"), ("Größe".encode("latin-1"), "iconv")],
)
def test_texts_that_cannot_be_read(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_text(tmp_path / "a")


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_any_bytes_as_json_lines_give_rows_or_failures(lines: list[bytes]) -> None:
    from io import BytesIO

    from nlptasks.data.reading import _jsonl

    content = b"\n".join(lines)
    rows = list(_jsonl(BytesIO(content)))
    assert len(rows) == sum(1 for line in content.split(b"\n") if line.strip())
    assert [index for index, _ in rows] == list(range(len(rows)))


def test_an_output_row_keeps_the_row_and_replaces_earlier_results() -> None:
    row = {"text": "a", "mine": 1, "prediction": "old", "error": {"type": "old"}}
    good = output_row(Record(Sample("3", None, row=row), Reply(answer="new", length=3)))
    assert good == {"id": "3", "text": "a", "mine": 1, "prediction": "new", "output": {"answer": "new", "length": 3}}
    bad = output_row(Record(Sample("3", None, row=row), Failure("sort", "why")))
    assert bad == {"id": "3", "text": "a", "mine": 1, "error": {"type": "sort", "message": "why"}}


@given(st.text(st.characters(codec=None)))
def test_any_text_can_be_written(text: str) -> None:
    assert json.loads(dump_line({"text": text}))["text"] == text.encode("utf-8", "replace").decode()


class Pictures(BaseModel):
    documents: Documents
    images: Images = ()


def test_documents_and_images_from_rows(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"png")
    context = {"base": tmp_path}
    found = Pictures.model_validate(
        {"documents": ["a", {"text": "b", "name": "B"}], "images": "a.png"}, context=context
    )
    assert [(document.name, document.text) for document in found.documents] == [("", "a"), ("B", "b")]
    assert found.images == (b"png",)
    again = Pictures.model_validate_json(found.model_dump_json())
    assert again == found
    with pytest.raises(ValueError, match="data URI here, not a path"):
        Pictures.model_validate({"documents": "a", "images": "a.png"})
    with pytest.raises(ValueError, match="cannot read image"):
        Pictures.model_validate({"documents": "a", "images": "none.png"}, context=context)
