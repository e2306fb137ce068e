"""The options that change nothing where sentences are picked, and none written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

from nlptasks import GenerationConfig, Request
from nlptasks.backends.base import warn_once


def ignored(request: Request, names: Iterable[str] = (), but: str = "") -> dict[str, list[str]]:
    """Warn of what a request asks in vain, with ``names`` beside its options, and return it as a completion's data."""
    default = GenerationConfig()
    changed = (f.name for f in fields(default) if getattr(request.config, f.name) != getattr(default, f.name))
    found = sorted({*names, *changed} - {but})
    if found:
        warn_once(f"The embedded model picks sentences from the text and writes none: {', '.join(found)} ignored.")
    return {"ignored": found} if found else {}
