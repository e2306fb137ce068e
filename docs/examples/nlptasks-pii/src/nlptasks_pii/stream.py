"""A stream with the identifiers in it: what may begin a placeholder waits for what comes after it."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from nlptasks import Delta
from nlptasks_pii.vault import PLACEHOLDER, Vault

_PLACEHOLDER = regex.compile(PLACEHOLDER.pattern)


def restored(deltas: Iterator[Delta], vault: Vault) -> Iterator[Delta]:
    """Yield the deltas with identifiers in place of placeholders, however those are cut up."""
    text, reasoning = _Held(vault), _Held(vault)
    for delta in deltas:
        shown = Delta(text.shown(delta.text), reasoning.shown(delta.reasoning))
        if shown != Delta():
            yield shown


class _Held:
    """Holds back the end of a text while it may begin a placeholder; what is left in the end is none."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._held = ""

    def shown(self, piece: str) -> str:
        text = self._held + piece
        at = text.rfind("[")
        begun = at >= 0 and _PLACEHOLDER.fullmatch(text, at, partial=True)
        if not (begun and begun.partial):
            at = len(text)
        self._held = text[at:]
        return self._vault.show(text[:at])
