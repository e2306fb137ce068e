"""The files that the official scripts of SQuAD read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from nlptasks.errors import InputError
from nlptasks.evaluation.json_file import read_json
from nlptasks.evaluation.scoring import score

ARTICLE = {
    "title": "Ferries",
    "paragraphs": [
        {
            "context": "The ferry is electric. It crosses the bay.",
            "qas": [
                {"id": "a", "question": "What?", "answers": [{"text": "The ferry"}, {"text": "ferry"}]},
                {"id": "b", "question": "Who?", "is_impossible": True, "answers": [], "plausible_answers": [{}]},
                {"id": "c", "question": "Where?", "answers": [{"text": "the bay", "answer_start": 34}]},
            ],
        }
    ],
}
GOLD = {"version": "v2.0", "data": [ARTICLE]}


def write(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), "utf-8")
    return path


def test_the_files_of_the_official_scripts_are_scored_as_they_are(tmp_path: Path) -> None:
    gold = write(tmp_path / "dev-v2.0.json", GOLD)
    said = write(
        tmp_path / "predictions.json",
        {
            "c": "bay of the ferry",
            "a": "Ferry!",
            "b": "",
        },
    )
    doubt = write(tmp_path / "na_prob.json", {"a": 0.1, "b": 1, "c": 0.2})
    found = score("question-answering", [said, doubt], gold, metrics="squad_v2").results
    assert found["exact_match"].value == pytest.approx(200 / 3)
    assert found["f1"].value == pytest.approx((100 + 100 + 50) / 3)
    assert found["NoAns_exact"].value == found["HasAns_exact"].value * 2 == 100
    assert found["best_exact_thresh"].value == 0.1
    assert "lang:en|rules:squad" in found["f1"].signature


def test_nested_questions_become_rows_with_texts(tmp_path: Path) -> None:
    packed = tmp_path / "gold.json.gz"
    packed.write_bytes(gzip.compress(json.dumps(GOLD).encode()))
    rows = read_json(packed, "references")
    assert [(row["id"], row["answers"]) for row in rows] == [
        ("a", ["The ferry", "ferry"]),
        ("b", []),
        ("c", ["the bay"]),
    ]
    assert rows[0]["question"] == "What?"


def test_lists_of_objects_and_texts_by_id_are_rows(tmp_path: Path) -> None:
    rows = [{"id": 1, "summary": "x"}]
    assert read_json(write(tmp_path / "a.json", rows), "references") == rows
    assert read_json(write(tmp_path / "b.json", {"data": rows}), "references") == rows
    assert read_json(write(tmp_path / "c.json", {"1": "x"}), "prediction") == [{"id": "1", "prediction": "x"}]


def test_two_files_of_predictions_are_no_one_system(tmp_path: Path) -> None:
    one, two = (write(tmp_path / name, {"a": "x"}) for name in ("one.json", "two.json"))
    with pytest.raises(InputError, match=r"one\.json and .*two\.json both hold predictions"):
        score("question-answering", [one, two], [["x"]])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (["a", "b"], "neither a list of objects nor texts by id"),
        (3, "neither a list of objects nor texts by id"),
        ([{"paragraphs": [{"context": "x"}]}], "not SQuAD's form"),
        ([{"paragraphs": [{"context": "x", "qas": [{"id": 1, "answers": ["text"]}]}]}], "not SQuAD's form"),
        ({}, "is empty"),
    ],
)
def test_what_it_is_not_is_said_in_one_line(tmp_path: Path, value: Any, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        score("question-answering", write(tmp_path / "p.json", value), ["x"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("data", "words"), [(b'{"a": 1}\n{"b": 2}', r"call it \.jsonl"), (b"\xff\xfe{", "not UTF-8")])
def test_what_is_no_json_is_said_in_one_line(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "p.json").write_bytes(data)
    with pytest.raises(InputError, match=words):
        read_json(tmp_path / "p.json", "prediction")
