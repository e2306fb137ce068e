"""Predictions find their references."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from nlptasks.errors import InputError
from nlptasks.evaluation.source import Source, read_source
from nlptasks.evaluation.table import Table, match
from nlptasks.job import load_task


def rows(path: Path, *values: Any) -> Path:
    path.write_text("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values), "utf-8")
    return path


def matched(predictions: Any, *references: Any, task: str = "summarization", allow_missing: bool = False) -> Table:
    sides = [read_source(one, "references", "references") for one in references]
    return match(load_task(task), read_source(predictions, "prediction", "predictions"), sides, allow_missing)


def test_rows_are_matched_by_id_in_any_order(tmp_path: Path) -> None:
    ours = rows(tmp_path / "p.jsonl", {"id": 2, "prediction": "zwei"}, {"id": 1, "prediction": "eins"})
    theirs = rows(tmp_path / "r.jsonl", {"id": "1", "summary": "Eins"}, {"id": "2", "summary": "Zwei"})
    found = matched(ours, theirs)
    assert [(row.id, row.prediction, row.references) for row in found.rows] == [
        ("1", "eins", ("Eins",)),
        ("2", "zwei", ("Zwei",)),
    ]
    assert found.counts == {"total": 2, "scored": 2, "failed": 0, "empty": 0, "unanswered": 0}


def test_plain_text_is_matched_by_line_and_an_empty_line_is_an_empty_prediction(tmp_path: Path) -> None:
    (tmp_path / "out.hyp").write_text("eins\r\n\ndrei\u2028vier\n", "utf-8")
    (tmp_path / "ref.txt.gz").write_bytes(gzip.compress(b"Eins\nZwei\nDrei"))
    more = rows(tmp_path / "ref.jsonl", *({"references": [text, "x"]} for text in "abc"))
    found = matched(tmp_path / "out.hyp", tmp_path / "ref.txt.gz", more)
    assert [row.prediction for row in found.rows] == ["eins", "", "drei\u2028vier"]
    assert found.rows[1].references == ("Zwei", "b", "x")
    assert (found.counts["empty"], found.counts["unanswered"]) == (1, 1)


def test_lists_are_taken_too() -> None:
    found = matched(["a", "b"], [["x", "y"], []], task="question-answering")
    assert [row.references for row in found.rows] == [("x", "y"), ()]


def test_csv_and_parquet(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet as parquet

    (tmp_path / "p.csv").write_text("id,prediction\n1,eins\n2,\n", "utf-8")
    parquet.write_table(
        pyarrow.table({"id": ["1", "2"], "answers": [{"text": ["Eins", "eins"]}, {"text": []}]}), tmp_path / "r.parquet"
    )
    found = matched(tmp_path / "p.csv", tmp_path / "r.parquet", task="question-answering")
    assert [(row.prediction, row.references) for row in found.rows] == [("eins", ("Eins", "eins")), ("", ())]
    assert (found.counts["empty"], found.counts["unanswered"]) == (1, 0)


def test_failed_rows_are_counted_and_not_scored() -> None:
    failed = {"id": "a", "summary": "A", "error": {"type": "input", "message": "no"}}
    found = matched([failed, {"id": "b", "summary": "B", "prediction": "b"}])
    assert [row.id for row in found.rows] == ["b"]
    assert (found.counts["total"], found.counts["scored"], found.counts["failed"]) == (2, 1, 1)
    with pytest.raises(InputError, match="all 1 samples failed"):
        matched([failed])


def test_an_absent_prediction_is_empty_only_if_that_is_allowed() -> None:
    ours, theirs = [{"id": "a", "prediction": "x"}], [{"id": name, "summary": name} for name in "abcdef"]
    with pytest.raises(InputError, match=r"5 ids \('b', 'c', 'd', \.\.\.\).*--allow-missing"):
        matched(ours, theirs)
    found = matched(ours, theirs, allow_missing=True)
    assert (found.counts["missing"], found.counts["scored"], found.rows[5].prediction) == (5, 6, "")


def test_the_output_fields_of_a_prediction_are_columns() -> None:
    [row] = matched([{"id": 1, "summary": "a", "prediction": "p", "output": {"truncated": True, "score": 2}}]).rows
    assert (row.columns["score"], row.columns["truncated"]) == (2, True)


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        (["a"], ["a", "b"], "2 lines, the list of predictions 1"),
        ([{"id": 1, "prediction": "a"}], [{"summary": "a"}], "no column 'id'"),
        ([{"id": 1, "prediction": "a"}, {"prediction": "b"}], [{"id": 1, "summary": "a"}], "row 2 has no id"),
        ([{"id": 1, "prediction": "a"}] * 2, [{"id": 1, "summary": "a"}], "'1' is there twice"),
        ([{"id": 1, "prediction": "a"}, {"id": 9, "prediction": "a"}], [{"id": 1, "summary": "a"}], "no row for 1 id"),
        ([{"id": 1, "output": "a"}], [{"id": 1, "summary": "a"}], "no column 'prediction'; it has: id, output"),
        ([{"id": 1, "prediction": "a"}], [{"id": 1, "gold": "a"}], "no column 'summary' or 'references'"),
        ([], ["a"], "predictions is empty"),
    ],
)
def test_what_does_not_fit_is_told(ours: Any, theirs: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        matched(ours, theirs)


def test_files_that_are_no_text_by_line_are_refused(tmp_path: Path) -> None:
    (tmp_path / "p.sgm").write_text("<doc>", "utf-8")
    (tmp_path / "p.txt").write_bytes("ä".encode("latin-1"))
    rows(tmp_path / "p.jsonl", [1])
    for name, words in (("p.sgm", "turn it into"), ("p.txt", "not UTF-8"), ("p.jsonl", "no JSON object")):
        with pytest.raises(InputError, match=words):
            read_source(tmp_path / name, "prediction", "predictions")


def test_columns_are_renamed_where_they_are() -> None:
    source = Source("s", [{"gold": "a"}, {"other": 1}]).renamed({"references": "gold"})
    assert [row.get("references") for row in source.rows] == ["a", None]
