"""Transcripts: a conversation as a JSON file, written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from nlptasks import InputError, NLPTasksError
from nlptasks.data import one_line
from nlptasks_chat.task import Turn


class Transcript(BaseModel):
    """A conversation. ``model`` is the one that answered last; images in ``messages`` are data URIs in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1]
    model: str = ""
    system: str = ""
    messages: tuple[Turn, ...]

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Everything said, the system prompt first."""
        return (*([Turn(role="system", content=self.system)] if self.system else []), *self.messages)

    @property
    def answered(self) -> tuple[Turn, ...]:
        """The messages without what the user said last, where that has no answer."""
        end = len(self.messages)
        while end and self.messages[end - 1].role == "user":
            end -= 1
        return self.messages[:end]


def empty(system: str = "") -> Transcript:
    """Return a conversation in which nothing was said."""
    return Transcript(version=1, system=system, messages=())


def load(path: Path) -> Transcript:
    """Read a transcript.

    Raises:
        InputError: the file cannot be read or is no transcript.
    """
    try:
        return Transcript.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"No such file: {path}") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise InputError(f"{path} is no transcript of a chat: {one_line(error)}") from None


def save(transcript: Transcript, path: Path) -> None:
    """Write a transcript, readable by its owner only. A crash leaves the old file or the new one.

    Raises:
        NLPTasksError: it cannot be written.
    """
    value = transcript.model_dump(mode="json", exclude_defaults=True)
    data = json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8") + b"\n"
    target = path.resolve()
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                file.close()
                os.replace(file.name, target)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise NLPTasksError(f"{path} cannot be written: {error.strerror}") from None


def begin(path: Path) -> Transcript:
    """Return the conversation that a file holds, or a new one that it holds from now on.

    Raises:
        InputError: the file is there and no transcript.
        NLPTasksError: it cannot be written.
    """
    if path.exists():
        return load(path)
    transcript = empty()
    save(transcript, path)
    return transcript
