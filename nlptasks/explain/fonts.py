"""Fonts for pictures: the first on this machine that has the characters of a text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlptasks.errors import InputError

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

    Font = FreeTypeFont | ImageFont

KNOWN = (
    "NotoSans-Regular.ttf",
    "DejaVuSans.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "SourceHanSansSC-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "Arial Unicode.ttf",
    "msyh.ttc",
    "simsun.ttc",
    "malgun.ttf",
    "seguisym.ttf",
    "NotoSansArabic-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansThai-Regular.ttf",
)
"""File names of fonts that come with systems, those for Latin letters first."""


class Fonts:
    """The fonts to draw with at ``size`` pixels: the file that was named, then those this machine has.

    Raises:
        InputError: the named file is no font.
    """

    def __init__(self, size: int, named: Path | None = None) -> None:
        self._found = list(_fonts(size, named))

    def font(self, text: str) -> Font | None:
        """Return the first font that has all characters of ``text``, None where there is none."""
        return next((font for font in self._found if all(has_glyph(font, char) for char in text)), None)


def _fonts(size: int, named: Path | None) -> Iterator[Font]:
    from PIL import ImageFont

    if named is not None:
        try:
            yield ImageFont.truetype(named, size)
        except OSError as error:
            raise InputError(f"{named} is no font that can be read: {error}.") from None
    for name in KNOWN:
        try:
            yield ImageFont.truetype(name, size)
        except OSError:
            continue
    yield ImageFont.load_default(size)  # Latin letters, with Pillow itself


@cache
def has_glyph(font: Any, char: str) -> bool:
    """Return whether ``font`` can draw ``char``: otherwise it draws what it draws for a character that is none."""
    if char.isspace():
        return True
    drawn, nothing = font.getmask(char), font.getmask("\U0010ffff")
    return (drawn.size, bytes(drawn)) != (nothing.size, bytes(nothing))
