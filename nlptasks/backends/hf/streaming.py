"""One answer, piece by piece, from a thread that generates."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nlptasks.backends.base import Answer
from nlptasks.backends.hf.answer import TextStream
from nlptasks.records import Completion, Delta

if TYPE_CHECKING:
    from nlptasks.backends.hf.batching import Prompt
    from nlptasks.backends.hf.generation import GeneratingBackend


class TokenQueue:
    """What ``generate`` takes for a streamer: puts each new token into a queue, after the prompt."""

    def __init__(self) -> None:
        self.items: queue.Queue[int | list[Answer] | BaseException] = queue.Queue()
        self._past_prompt = False

    def put(self, value: Any) -> None:
        if self._past_prompt:
            for token in value.flatten().tolist():  # one, or several that were guessed right
                self.items.put(token)
        self._past_prompt = True

    def end(self) -> None:
        """The answer itself follows and marks the end."""


def stream(backend: GeneratingBackend, prompt: Prompt) -> Iterator[Delta | Answer]:
    """Yield the answer's pieces, then the answer. Leaving early ends the generation."""
    from nlptasks.backends.hf.generation import Hooks

    tokens, cancelled = TokenQueue(), threading.Event()

    def work() -> None:
        try:
            tokens.items.put(backend.answer([prompt], Hooks(tokens, cancelled)))
        except BaseException as error:  # handed to the caller's thread, which raises it
            tokens.items.put(error)

    worker = threading.Thread(target=work, name="nlptasks-hf-stream", daemon=True)
    worker.start()
    try:
        yield from _pieces(backend, prompt, tokens)
    finally:
        cancelled.set()
        worker.join()


def _pieces(backend: GeneratingBackend, prompt: Prompt, tokens: TokenQueue) -> Iterator[Delta | Answer]:
    reading, decoder = prompt.reading, TextStream(backend.decode)
    raw = text = reasoning = ""
    while isinstance(item := tokens.items.get(), int):
        raw += decoder.push(item)
        new_text, new_reasoning = reading.split(reading.settled(raw), done=False)
        if len(new_text) + len(new_reasoning) > len(text) + len(reasoning):
            yield Delta(new_text[len(text) :], new_reasoning[len(reasoning) :])
            text, reasoning = new_text, new_reasoning
    if isinstance(item, BaseException):
        raise item
    [answer] = item
    if isinstance(answer, Completion) and (answer.text, answer.reasoning) != (text, reasoning):
        yield Delta(answer.text[len(text) :], answer.reasoning[len(reasoning) :])
    yield answer
