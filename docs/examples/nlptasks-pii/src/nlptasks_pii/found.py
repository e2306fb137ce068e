"""What is found in a text."""

from __future__ import annotations

from typing import NamedTuple


class Found(NamedTuple):
    """A stretch of a text, ``end`` exclusive, and the kind of thing it is, such as ``EMAIL``."""

    start: int
    end: int
    kind: str
