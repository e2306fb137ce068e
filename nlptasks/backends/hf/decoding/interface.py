"""Attention of our own, in place of a model's for as long as it is wanted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

FOREIGN = ("sliding_window", "softcap", "s_aux")
"""What some models bend attention with; they are left to transformers."""


class Interface:
    """An attention function under a name, with what it looks at now: one thing for each thread."""

    def __init__(self, name: str, attend: Callable[..., Any]) -> None:
        self._name, self._attend = name, attend
        self._here = threading.local()
        self._known = False

    @property
    def seen(self) -> Any:
        """What ``looking_at`` was given."""
        return self._here.seen

    @contextmanager
    def looking_at(self, seen: Any, config: Any) -> Iterator[None]:
        """Have the layers that ``config`` belongs to attend so."""
        self._register()
        before = config._attn_implementation
        config._attn_implementation, self._here.seen = self._name, seen
        try:
            yield
        finally:
            config._attn_implementation, self._here.seen = before, None

    def _register(self) -> None:
        from transformers import AttentionInterface, AttentionMaskInterface

        if not self._known:
            AttentionInterface.register(self._name, self._attend)
            AttentionMaskInterface.register(self._name, lambda *_, **__: None)
            self._known = True


def refuse_foreign(given: dict[str, Any], *more: str) -> None:
    """Raise NotImplementedError for attention that is bent by one of ``FOREIGN`` or ``more``."""
    if wanted := [name for name in (*FOREIGN, *more) if given.get(name) is not None]:
        raise NotImplementedError(", ".join(wanted))
