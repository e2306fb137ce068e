"""Reasoning that a model writes into its text: a leading ``<think>...</think>``, kept apart from the answer."""

from __future__ import annotations

from nlptasks.records import Delta

OPEN, CLOSE = "<think>", "</think>"


def split(raw: str, done: bool = True, opened: bool = False) -> tuple[str, str]:
    """Return the text and the reasoning of ``raw``; unless ``done``, each only as far as it is sure.

    ``opened`` says that what came before ``raw`` already ended inside the block.
    """
    body = raw.lstrip()
    if not opened:
        if not body.startswith(OPEN):
            return (raw if body or done else ""), ""
        body = body.removeprefix(OPEN)
    reasoning, _, text = body.partition(CLOSE)
    return text.lstrip(), reasoning.strip()


def overlap(text: str, marker: str) -> int:
    """Return how many characters at the end of ``text`` begin ``marker``."""
    return next((n for n in range(min(len(marker) - 1, len(text)), 0, -1) if text.endswith(marker[:n])), 0)


class Splitter:
    """Splits a stream, however its pieces are cut."""

    def __init__(self) -> None:
        self._raw = self._text = self._reasoning = ""

    def feed(self, piece: str, final: bool = False) -> Delta:
        """Return what ``piece`` adds to text and reasoning; ``final`` hands out what was held back."""
        self._raw += piece
        held = 0 if final else max(overlap(self._raw, OPEN), overlap(self._raw, CLOSE))
        text, reasoning = split(self._raw[: len(self._raw) - held], done=final)
        delta = Delta(text[len(self._text) :], reasoning[len(self._reasoning) :])
        self._text, self._reasoning = text, reasoning
        return delta
