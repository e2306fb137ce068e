"""The layout of a text: what of it is translated, and what stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_CODE_BLOCK = re.compile(r"^([ \t]*(`{3,}|~{3,})(?![`~])[^\n]*\n(?:.*?\n)??[ \t]*\2[`~]*[ \t]*\r?)$", re.M | re.S)
# A number with a point is left to the translation: in German it may begin a date.
_LEAD = re.compile(r"\s*(?:>\s*|(?:[-*+•‣◦▪·–—]|#{1,6}|\d{1,3}\)|\[[ xX]\])\s+)*")


@dataclass(frozen=True)
class Segment:
    """A piece of a text; all segments joined are the text."""

    text: str
    translate: bool = False


def segments(text: str) -> Iterator[Segment]:
    """Yield the segments of ``text``: what is translated is the inside of one line.

    Indentation, list marks, blank lines, line ends, fenced code and lines without letters stay. A line is
    translated by itself, so that whatever a model answers, line and paragraph structure is that of the source.
    """
    for index, part in enumerate(_CODE_BLOCK.split(text)):
        if index % 3 == 1:
            yield Segment(part)
        elif index % 3 == 0:
            for line in part.splitlines(keepends=True):
                yield from _line(line)


def _line(line: str) -> Iterator[Segment]:
    start, end = _LEAD.match(line).end(), len(line.rstrip())  # type: ignore[union-attr]
    if not any(character.isalpha() for character in line[start:end]):
        yield Segment(line)
        return
    yield Segment(line[:start])
    yield Segment(line[start:end], translate=True)
    yield Segment(line[end:])
