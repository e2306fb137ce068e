"""How a command ends: its exit codes, and what makes it stop in good order."""

from __future__ import annotations

import enum
import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Exit(enum.IntEnum):
    """What a command ends with."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> Exit:
        one = int.__new__(cls, value)
        one._value_ = value
        one.meaning = meaning
        return one

    DONE = 0, "all was done"
    FAILED = 1, "it failed: the line on stderr says why"
    USAGE = 2, "the call was wrong: an option, a name, a file or a setting"
    FINISHED_WITH_FAILURES = (
        3,
        "it finished, but samples failed: they are in the output, and tried again next time",
    )
    INTERRUPTED = 130, "it was interrupted: the same command goes on where it stopped"


@contextmanager
def stoppable() -> Iterator[None]:
    """Take SIGTERM, by which schedulers ask for an end before they force it, as Ctrl-C."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
