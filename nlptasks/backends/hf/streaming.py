"""One answer, piece by piece, from a thread that generates."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlptasks.backends.base import Answer, Session, Show
from nlptasks.backends.hf.answer import Reading, TextStream
from nlptasks.records import Completion, Delta, Request

if TYPE_CHECKING:
    from nlptasks.backends.hf.batching import Prompt
    from nlptasks.backends.hf.generation import GeneratingBackend


@dataclass(frozen=True)
class Hooks:
    """What watches a call of ``generate``: where tokens go as they come, and a flag that ends it early."""

    streamer: Any = None
    cancelled: Any = None


class Streamer:
    """What ``generate`` takes for a streamer: hands on each new token, after the prompt."""

    def __init__(self, take: Callable[[int], object]) -> None:
        self._take = take
        self._past_prompt = False

    def put(self, value: Any) -> None:
        if self._past_prompt:
            for token in value.flatten().tolist():  # one, or several that were guessed right
                self._take(token)
        self._past_prompt = True

    def end(self) -> None:
        """The answer itself follows and marks the end."""


class Pieces:
    """Shows what of an answer is certain, token by token."""

    def __init__(self, reading: Reading, decode: Callable[[list[int]], str], show: Show) -> None:
        self.tokens = 0
        self._reading, self._decoder, self._show = reading, TextStream(decode), show
        self._raw = ""
        self._shown = Delta()

    def push(self, token: int) -> None:
        """Take the next token."""
        self.tokens += 1
        self._raw += self._decoder.push(token)
        self._extend(*self._reading.split(self._reading.settled(self._raw), done=False))

    def extend(self, tokens: Iterable[int]) -> None:
        """Take the next tokens."""
        for token in tokens:
            self.push(token)

    def end(self, answer: Answer) -> None:
        """Show what is left of an answer."""
        if isinstance(answer, Completion):
            self._extend(answer.text, answer.reasoning)

    def _extend(self, text: str, reasoning: str) -> None:
        new = Delta(text[len(self._shown.text) :], reasoning[len(self._shown.reasoning) :])
        if new.text or new.reasoning:
            self._shown = Delta(text, reasoning)
            self._show(new)


def stream(backend: GeneratingBackend, prompt: Prompt) -> Iterator[Delta | Answer]:
    """Yield the answer's pieces, then the answer. Leaving early ends the generation."""
    items: queue.Queue[int | Sequence[Answer] | BaseException] = queue.Queue()
    cancelled = threading.Event()

    def work() -> None:
        try:
            items.put(backend.answer([prompt], Hooks(Streamer(items.put), cancelled)))
        except BaseException as error:  # handed to the caller's thread, which raises it
            items.put(error)

    worker = threading.Thread(target=work, name="nlptasks-hf-stream", daemon=True)
    worker.start()
    try:
        yield from _pieces(backend, prompt, items.get)
    finally:
        cancelled.set()
        worker.join()


def drawn(session: Session[int], request: Request) -> Iterator[Delta | Answer]:
    """Yield the pieces of an answer, then the answer, as a session writes it."""
    pieces: list[Delta] = []
    session.stream(0, request, pieces.append)
    found = None
    while found is None:
        found = session.poll(0)
        yield from pieces
        pieces.clear()
    yield found[1]


def _pieces(backend: GeneratingBackend, prompt: Prompt, take: Callable[[], Any]) -> Iterator[Delta | Answer]:
    shown: list[Delta] = []
    pieces = Pieces(prompt.reading, backend.decode, shown.append)
    while isinstance(item := take(), int):
        pieces.push(item)
        yield from shown
        shown.clear()
    if isinstance(item, BaseException):
        raise item
    [answer] = item
    pieces.end(answer)
    yield from shown
    yield answer
