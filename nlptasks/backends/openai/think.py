"""Reasoning that a server leaves in the text."""

from __future__ import annotations

from nlptasks.records import Delta

_OPEN, _CLOSE = "<think>", "</think>"


class ThinkSplitter:
    """Keeps a leading ``<think>...</think>`` apart from the text, however both are cut into pieces."""

    def __init__(self) -> None:
        self._state = "start"
        self._held = ""

    def feed(self, piece: str, final: bool = False) -> Delta:
        """Return what ``piece`` adds to text and reasoning; ``final`` hands out what was held back."""
        self._held += piece
        reasoning = ""
        if self._state == "start":
            self._start(final)
        if self._state == "thinking":
            reasoning = self._think(final)
        if self._state == "closed":
            self._held = self._held.lstrip()
            self._state = "text" if self._held else "closed"
        if self._state != "text":
            return Delta(reasoning=reasoning)
        text, self._held = self._held, ""
        return Delta(text, reasoning)

    def _start(self, final: bool) -> None:
        lead = self._held.lstrip()
        if lead.startswith(_OPEN):
            self._state, self._held = "thinking", lead.removeprefix(_OPEN)
        elif final or not _OPEN.startswith(lead):
            self._state = "text"

    def _think(self, final: bool) -> str:
        reasoning, close, rest = self._held.partition(_CLOSE)
        if close:
            self._state, self._held = "closed", rest
            return reasoning
        # The end may hold the first characters of the closing tag: keep them back.
        size = 0 if final else next(n for n in range(len(_CLOSE) - 1, -1, -1) if self._held.endswith(_CLOSE[:n]))
        cut = len(self._held) - size
        reasoning, self._held = self._held[:cut], self._held[cut:]
        return reasoning
