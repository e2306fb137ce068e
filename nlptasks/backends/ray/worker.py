"""One worker: a backend in a process of its own, somewhere in the cluster."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlptasks.backends.base import Answer, Session
from nlptasks.backends.factory import BackendFactory
from nlptasks.errors import NLPTasksError, raised_by
from nlptasks.records import Request

PATIENCE = 0.1
"""Seconds after which a worker hands over what it has answered, and takes more."""


@dataclass(frozen=True)
class Outfit:
    """What a worker needs: the ``factory`` of its backend, files of plugins, and its surroundings."""

    factory: BackendFactory
    plugin_files: tuple[str, ...]
    environment: Mapping[str, str]
    folder: str


@dataclass(frozen=True)
class Placed:
    """A worker stands; ``identity`` is that of its backend."""

    identity: Mapping[str, str]


@dataclass(frozen=True)
class Loaded:
    """The model is there; ``room`` is that of the session."""

    room: int


@dataclass(frozen=True)
class Answered:
    """Answers by number, in completion order."""

    answers: Sequence[tuple[int, Answer]]


@dataclass(frozen=True)
class Refused:
    """An error that the next worker would meet, too. Errors themselves may not survive the way."""

    message: str


class Worker:
    """The other end of a member of the crew. Each method is called when the one before it has returned."""

    def __init__(self, outfit: Outfit) -> None:
        os.environ.update(outfit.environment)
        if os.path.isdir(outfit.folder):
            os.chdir(outfit.folder)  # what the model's name is relative to
        self._outfit = outfit
        self._waiting: deque[tuple[int, Request]] = deque()
        self._held = 0

    def place(self) -> Placed | Refused:
        """Build the backend, without its weights."""
        from nlptasks.plugin import manager

        try:
            for file in self._outfit.plugin_files:
                manager().add_file(Path(file))
            self._backend = self._outfit.factory.bare()
            return Placed(dict(self._backend.identity()))
        except NLPTasksError as error:
            return Refused(str(error))

    def load(self) -> Loaded | Refused:
        """Load the model."""
        try:
            self._backend.__enter__()
            self._session: Session[int] = self._backend.open()
            return Loaded(self._session.room)
        except NLPTasksError as error:
            return Refused(str(error))
        except Exception as error:  # a third party's code may raise anything
            return Refused(raised_by(type(self._backend).__name__, error))

    def exchange(self, requests: Sequence[tuple[int, Request]]) -> Answered | Refused:
        """Take requests, work for about ``PATIENCE`` or until nothing is left, and return what is answered."""
        self._waiting.extend(requests)
        end, answers = time.monotonic() + PATIENCE, []
        try:
            while self._fill():
                found = self._session.poll(max(0.0, end - time.monotonic()))
                if found:
                    self._held -= 1
                    answers.append(found)
                if found is None or time.monotonic() >= end:
                    break
        except NLPTasksError as error:
            return Refused(str(error))
        return Answered(answers)

    def _fill(self) -> int:
        """Hand over what the session has room for; return how many requests it holds."""
        while self._waiting and self._session.room > 0:
            self._session.put(*self._waiting.popleft())
            self._held += 1
        return self._held
