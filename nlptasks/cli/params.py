"""From the fields of a pydantic model to the parameters of a command."""

from __future__ import annotations

import enum
import logging
import sys
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from nlptasks.data import column_names, read_text
from nlptasks.errors import InputError
from nlptasks.fields import Document, Marker

log = logging.getLogger("nlptasks")
SCALARS: Mapping[Any, click.ParamType[Any]] = {str: click.STRING, int: click.INT, float: click.FLOAT, bool: click.BOOL}
FOLDER_ENDINGS = (".txt", ".md", ".rst")


@dataclass(frozen=True)
class Parameter:
    """One field as a parameter: ``column`` is its main name in a row, ``key`` its name within the command."""

    key: str
    column: str
    names: tuple[str, ...]
    kind: str
    type: click.ParamType[Any]
    multiple: bool
    default: Any
    help: str

    @property
    def flags(self) -> list[str]:
        """The names as flags."""
        return ["--" + name.replace("_", "-") for name in self.names]

    def option(self) -> click.Option:
        """Return the parameter as a ``--flag``; a value of None (or none at all) means not given."""
        flags = self.flags
        if self.type is click.BOOL and not self.multiple:
            flags = [f"{flag}/--no-{flag[2:]}" for flag in flags[:1]]
        text = self.help + (f"  [default: {self.default}]" if self.default not in (None, "", (), []) else "")
        return click.Option([self.key, *flags], type=self.type, multiple=self.multiple, default=None, help=text)

    def value(self, given: Any, hint: str = "") -> Any:
        """Return what a field gets for the given parameter: the contents of paths, else the value itself."""
        if self.kind == "text":
            return read_text(given, hint)
        if self.kind == "documents":
            return [document for path in given for document in read_documents(path, hint)]
        if self.kind == "images":
            return [_read_bytes(path) for path in given]
        return list(given) if self.multiple else given


def parameters(model: type[BaseModel], prefix: str, taken: frozenset[str] = frozenset()) -> Iterator[Parameter]:
    """Yield the fields of ``model`` that the command line can express; others come from files and Python.

    A flag that is ``taken`` already gets ``prefix-`` before its name.
    """
    for field, info in model.model_fields.items():
        shape = _shape(info)
        if shape is None:
            continue
        kind, type_, multiple = shape
        names = column_names(field, info)
        default = None if info.is_required() else info.get_default(call_default_factory=True, validated_data={})
        yield Parameter(
            key=f"{prefix}_{field}",
            column=names[0],
            names=tuple(f"{prefix}_{name}" if name in taken else name for name in names),
            kind=kind,
            type=type_,
            multiple=multiple,
            default=default.value if isinstance(default, enum.Enum) else default,
            help=info.description or "",
        )


def _shape(info: FieldInfo) -> tuple[str, click.ParamType[Any], bool] | None:
    """Return (kind, click type, repeatable) of a field, None where the command line has no form for it."""
    path = click.Path(path_type=Path)
    annotation = _without_none(info.annotation)
    markers = [*info.metadata, *getattr(annotation, "__metadata__", ())]
    marker = next((one for one in markers if isinstance(one, Marker)), None)
    if marker:
        return marker.kind, path, marker.kind != "text"
    multiple = typing.get_origin(annotation) in (list, tuple, set, frozenset)
    if multiple:
        annotation = typing.get_args(annotation)[0]
    type_ = _click_type(annotation)
    return ("plain", type_, multiple) if type_ else None


def _without_none(annotation: Any) -> Any:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        rest = [one for one in typing.get_args(annotation) if one is not type(None)]
        return rest[0] if len(rest) == 1 else annotation
    return annotation


def _click_type(annotation: Any) -> click.ParamType[Any] | None:
    if typing.get_origin(annotation) is Literal:
        return click.Choice([str(value) for value in typing.get_args(annotation)])
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return click.Choice([str(member.value) for member in annotation])
    if annotation is Path:
        return click.Path(path_type=Path)
    return SCALARS.get(annotation)


def read_documents(path: Path, hint: str = "") -> list[Document]:
    """Return a file as one named document, a folder as all its text files; one that cannot be read is warned of.

    Raises:
        InputError: there is nothing to read.
    """
    if not path.is_dir():
        return [Document(text=read_text(path, hint), name="stdin" if str(path) == "-" else str(path))]
    files = sorted(file for file in path.rglob("*") if file.suffix in FOLDER_ENDINGS and file.is_file())
    if not files:
        raise InputError(f"{path} holds no {', '.join(FOLDER_ENDINGS)} file.")
    documents = []
    for file in files:
        try:
            documents.append(Document(text=read_text(file), name=str(file)))
        except InputError as error:
            log.warning("Left out: %s", error)
    return documents


def _read_bytes(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
