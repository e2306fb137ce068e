"""What a ``.json`` file of predictions or references holds: rows, answers by id, or SQuAD's nested questions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nlptasks.data import Row, unpacked_text
from nlptasks.errors import InputError

NO_ANSWER_SCORE = "no_answer_score"


def read_json(path: Path, column: str) -> list[Row]:
    """Return the rows of a file; ``column`` is what a value without a name is called.

    - a list of objects, or one under ``data``: as they are;
    - SQuAD's articles under ``data``: a row for each question, ``answers`` a list of texts;
    - ``{"id": "text"}``, the predictions of the official scripts: ``id`` and ``column``. Numbers are
      ``no_answer_score``, as SQuAD 2.0 has it in a file of its own.

    Raises:
        InputError: it cannot be read, is no JSON or is none of these.
    """
    value = _parsed(path)
    if isinstance(value, Mapping) and isinstance(value.get("data"), list):
        value = value["data"]
    if isinstance(value, Mapping):
        return [{"id": id_, _named(one, column): one} for id_, one in value.items()]
    if not (isinstance(value, list) and all(isinstance(row, Mapping) for row in value)):
        raise InputError(f"{path} holds neither a list of objects nor texts by id: turn it into .jsonl first.")
    try:
        return [row for article in value for row in _questions(article)]
    except (KeyError, TypeError, AttributeError):
        raise InputError(
            f"{path}: not SQuAD's form: paragraphs, in each a context and qas with id and answers."
        ) from None


def _parsed(path: Path) -> Any:
    text = unpacked_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON ({error}); if it has an object a line, call it .jsonl.") from None


def _named(value: Any, column: str) -> str:
    return NO_ANSWER_SCORE if isinstance(value, int | float) and not isinstance(value, bool) else column


def _questions(article: Row) -> Iterator[Row]:
    if "paragraphs" not in article:
        yield article
        return
    for paragraph in article["paragraphs"]:
        for question in paragraph["qas"]:
            answers = [answer["text"] for answer in question["answers"]]
            yield {
                "id": question["id"],
                "question": question.get("question"),
                "context": paragraph["context"],
                "answers": answers,
            }
