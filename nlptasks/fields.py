"""Types for the fields of a task's ``Input`` and ``Options``, beyond str, int, float, bool, enums and lists.

Each says what a field *is*; the command line then takes a path for it, and a JSON row the thing itself.
A path inside a row is opened only where the caller trusts the rows: it validates with
``context={"base": folder}``. Without that context (a server), paths are refused.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, ValidationInfo, WithJsonSchema


class Marker:
    """Tells the command line how to read a field's value from the paths it is given."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


class Document(BaseModel):
    """A text with the name to cite it by (a path, a title; may be empty)."""

    model_config = ConfigDict(frozen=True)

    text: str
    name: str = ""


def _documents(value: Any) -> Any:
    if isinstance(value, (str, Document, Mapping)):
        value = [value]
    if not isinstance(value, Sequence):
        return value
    return tuple({"text": item} if isinstance(item, str) else item for item in value)


def _images(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, (str, bytes, Path)):
        value = [value]
    if not isinstance(value, Sequence):
        return value
    return tuple(_image(item, info.context) for item in value)


def _image(value: Any, context: Any) -> Any:
    if isinstance(value, str) and value.startswith("data:"):
        try:
            return base64.b64decode(value.partition(",")[2], validate=True)
        except binascii.Error as error:
            raise ValueError(f"not a base64 data URI ({error})") from None
    if isinstance(value, (str, Path)):
        if not context or "base" not in context:
            raise ValueError("an image must be a data URI here, not a path")
        try:
            base = context["base"]
            return ((Path(base) if isinstance(base, str) else base) / value).read_bytes()
        except OSError as error:
            raise ValueError(f"cannot read image {str(value)!r}: {error.strerror}") from None
    return value


def _data_uris(images: tuple[bytes, ...]) -> list[str]:
    return ["data:;base64," + base64.b64encode(image).decode("ascii") for image in images]


Text = Annotated[str, Marker("text")]
"""A text that the command line reads from a file or from stdin (``-``)."""

Documents = Annotated[tuple[Document, ...], BeforeValidator(_documents), Marker("documents")]
"""One or more documents: files or folders on the command line; in a row a text, a ``{"name", "text"}`` or a list."""

Images = Annotated[
    tuple[bytes, ...],
    BeforeValidator(_images),
    PlainSerializer(_data_uris, when_used="json"),
    WithJsonSchema({"type": "array", "items": {"type": "string", "format": "uri"}}),
    Marker("images"),
]
"""Encoded pictures: files on the command line; in a row data URIs, or paths beside the input file."""
