"""From tokens to an answer: text piece by piece, stop texts, and reasoning kept apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from nlptasks.backends.reasoning import CLOSE, OPEN, overlap, split

BROKEN = "\ufffd"
"""What a decoder writes for bytes that are no character yet."""


@dataclass(frozen=True)
class Reading:
    """How to read generated text.

    ``stop`` texts end the answer and are left out. With ``reasoning`` a leading ``<think>`` block is kept
    apart; ``opened`` says that the prompt already ended inside one.
    """

    stop: tuple[str, ...] = ()
    reasoning: bool = False
    opened: bool = False

    def cut(self, raw: str) -> tuple[str, bool]:
        """Return ``raw`` up to the earliest stop text, and whether there was one."""
        ends = [at for at in map(raw.find, self.stop) if at >= 0]
        return (raw[: min(ends)], True) if ends else (raw, False)

    def settled(self, raw: str) -> str:
        """Return the part of ``raw`` that no later text can turn into a stop text or a tag."""
        cut, stopped = self.cut(raw)
        if stopped:
            return cut
        markers = (*self.stop, OPEN, CLOSE) if self.reasoning else self.stop
        return raw[: len(raw) - max((overlap(raw, marker) for marker in markers), default=0)]

    def split(self, raw: str, done: bool = True) -> tuple[str, str]:
        """Return the text and the reasoning of ``raw``; unless ``done``, each only as far as it is sure."""
        return split(raw, done, self.opened) if self.reasoning else (raw, "")


@dataclass
class TextStream:
    """Decodes tokens as they come, never half a character.

    The last few tokens are decoded with and without the new ones, and the difference is the new text:
    what a token looks like depends on its neighbours (leading spaces, characters of several tokens).
    """

    decode: Callable[[list[int]], str]
    ids: list[int] = field(default_factory=list)
    start: int = 0
    read: int = 0

    def push(self, token: int) -> str:
        """Add one token and return the text that became certain."""
        self.ids.append(token)
        before = self.decode(self.ids[self.start : self.read])
        text = self.decode(self.ids[self.start :])
        if len(text) <= len(before) or text.endswith(BROKEN):
            return ""
        self.start, self.read = self.read, len(self.ids)
        return text[len(before) :]
