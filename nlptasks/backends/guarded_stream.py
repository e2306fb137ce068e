"""What a guarded stream is made of: the backend's stream taken apart, and its end."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from nlptasks.backends.base import Answer
from nlptasks.records import Completion, Delta, Failure


class Source:
    """A backend's stream: ``deltas`` for the guards, who see neither its ``answer`` nor its ``error``."""

    def __init__(self, items: Iterator[Delta | Answer]) -> None:
        self.deltas = self._deltas(items)
        self.answer: Answer | None = None
        self.error: Exception | None = None

    def _deltas(self, items: Iterator[Delta | Answer]) -> Generator[Delta, None, None]:
        try:
            for item in items:
                if isinstance(item, Delta):
                    yield item
                else:
                    self.answer = item
        except Exception as error:
            self.error = error

    def finish(self) -> None:
        """Read what the guards left unread; raise what the backend raised."""
        for _ in self.deltas:
            pass
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        """End the backend's stream, read or not."""
        self.deltas.close()


def withhold(deltas: Iterator[Delta], state: Any) -> Iterator[Delta]:
    """Let nothing through: for a guard that has to see the whole answer."""
    return iter(())


def ended(answer: Answer, shown: Delta, otherwise: Failure) -> Iterator[Delta | Answer]:
    """Yield what of an answer was not shown yet, and the answer; ``otherwise`` if it is not what was shown."""
    if isinstance(answer, Completion):
        if not (answer.text.startswith(shown.text) and answer.reasoning.startswith(shown.reasoning)):
            answer = otherwise
        else:
            rest = Delta(answer.text[len(shown.text) :], answer.reasoning[len(shown.reasoning) :])
            if rest != Delta() or shown == Delta():
                yield rest
    yield answer
