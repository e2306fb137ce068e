"""Records as rows of JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from nlptasks.records import Failure, Record, jsonable
from nlptasks.tasks import text_of


def output_row(record: Record) -> dict[str, Any]:
    """Return the row of a record: the columns it came with, ``id``, and its prediction or error.

    ``prediction`` is the text; ``output`` holds all fields where the task's Output has more than one.
    """
    kept = {name: value for name, value in record.sample.row.items() if name not in ("prediction", "output", "error")}
    row = {"id": record.sample.row.get("id", record.sample.id), **kept}
    if isinstance(record.result, Failure):
        row["error"] = {"type": record.result.type, "message": record.result.message}
    else:
        row["prediction"] = text_of(record.result)
        if len(type(record.result).model_fields) > 1:
            row["output"] = record.result.model_dump(mode="json")
    return row


def dump_line(value: Any) -> bytes:
    """Return a value as one line of JSON Lines."""
    return ENCODER.encode(value).encode("utf-8", "replace") + b"\n"


def _jsonable(value: Any) -> Any:
    try:
        return jsonable(value)
    except TypeError:
        return list(value) if isinstance(value, Iterable) else str(value)


ENCODER = json.JSONEncoder(ensure_ascii=False, default=_jsonable)
