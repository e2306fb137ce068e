"""An example row for a task whose author gave none, made from what its Input declares."""

from __future__ import annotations

import base64
import enum
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from nlptasks.data import column_names
from nlptasks.fields import Marker
from nlptasks.job import AnyTask
from nlptasks.testing.contracts.requests import PIXEL

SENTENCE = "The ferry crosses the harbour in seven minutes."
PICTURE = "data:image/png;base64," + base64.b64encode(PIXEL).decode()
VALUES: Mapping[Any, Any] = {int: 1, float: 0.5, bool: True}


def example_row(task: AnyTask, reference: str) -> dict[str, Any]:
    """Return a row with a value for every required column, and with ``reference``."""
    fields = {field: info for field, info in task.Input.model_fields.items() if info.is_required() or info.examples}
    row = {column_names(field, info)[0]: _value(info) for field, info in fields.items()}
    return {**row, task.reference_column: reference}


def _value(info: FieldInfo) -> Any:
    if info.examples:
        return info.examples[0]
    if any(isinstance(one, Marker) and one.kind == "images" for one in info.metadata):
        return PICTURE
    annotation = info.annotation
    if get_origin(annotation) is Literal:
        return get_args(annotation)[0]
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return next(iter(annotation)).value
    if get_origin(annotation) in (list, tuple, set, frozenset):
        return [VALUES.get(get_args(annotation)[0], SENTENCE)]
    return VALUES.get(annotation, SENTENCE)
