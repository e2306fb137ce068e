"""Heat maps as a PNG picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlptasks.explain.choice import Choice, Map
from nlptasks.explain.explanation import Explanation
from nlptasks.explain.fonts import Fonts
from nlptasks.explain.ramp import LIGHT, colour, ink

if TYPE_CHECKING:
    from nlptasks.explain.attention import Part
    from nlptasks.explain.tokens import Token

PAPER, INK, QUIET, HIDDEN = (255, 255, 255), (22, 27, 34), (104, 112, 124), (236, 238, 241)
SCALE = 2
"""Pixels for each unit of the drawing: sharp on screens of high density."""

GAP, MARGIN, LINE, LETTER = 28 * SCALE, 28 * SCALE, 20 * SCALE, 13 * SCALE
WIDEST, FEW = 1500 * SCALE, 24
"""How wide a picture grows before its maps go on in a further row; one of more than a few maps grows wider."""

LONGEST_LABEL = 110 * SCALE


@dataclass(frozen=True)
class Picture:
    """A picture, and the tokens that no font here could write: they stand in it as their positions."""

    png: bytes
    missing: tuple[str, ...]


def picture(explanation: Explanation, part: Part, choice: Choice, font: Path | None = None) -> Picture:
    """Return the chosen heat maps of ``part`` as a picture. Raises InputError for a ``font`` that is none."""
    maps = list(choice.maps(part))
    drawing = _Drawing(part, Fonts(LETTER, font), Fonts(round(LETTER * 0.72), font), len(maps))
    return drawing.picture(explanation, maps)


@dataclass(frozen=True)
class _Drawing:
    part: Part
    fonts: Fonts
    small: Fonts
    count: int

    @property
    def cell(self) -> int:
        """Side of a cell in pixels: smaller for many maps or long texts."""
        room = {1: 900, 2: 520}.get(self.count, 300 if self.count <= FEW else 120) * SCALE
        longest = max(len(self.part.queries), len(self.part.keys))
        return max(SCALE, min((44 if self.count <= 4 else 30) * SCALE, room // longest))

    @property
    def labelled(self) -> bool:
        """Whether a cell is high enough for a token to be written beside it."""
        return self.cell >= LETTER

    @property
    def level(self) -> bool:
        """Whether every token fits above its column without being turned."""
        return self.labelled and all(
            font.getlength(text) <= self.cell for text, font in map(self._label, self.part.keys)
        )

    def picture(self, explanation: Explanation, maps: Sequence[Map]) -> Picture:
        from PIL import Image, ImageDraw

        left, top = self._margin(self.part.queries), LINE if self.level else self._margin(self.part.keys)
        width = left + self.cell * len(self.part.keys) + GAP
        height = top + LINE + self.cell * len(self.part.queries) + GAP
        widest = WIDEST if self.count <= FEW else 2 * WIDEST
        columns = self._columns(maps, (widest - 2 * MARGIN) // width or 1)
        rows = math.ceil(len(maps) / columns)
        head = 4 * LINE + MARGIN
        size = (max(columns * width + 2 * MARGIN - GAP, 420 * SCALE), head + rows * height + MARGIN)
        image = Image.new("RGB", size, PAPER)
        canvas = ImageDraw.Draw(image)
        self._head(canvas, explanation, size[0])
        for number, one in enumerate(maps):
            place = (MARGIN + number % columns * width, head + number // columns * height)
            self._map(image, canvas, one, place, (left, top + LINE))
        data = BytesIO()
        image.save(data, "PNG", dpi=(72 * SCALE, 72 * SCALE))
        tokens = dict.fromkeys(token.text for token in (*self.part.queries, *self.part.keys))
        return Picture(data.getvalue(), tuple(text for text in tokens if self.fonts.font(text) is None))

    def _columns(self, maps: Sequence[Map], fit: int) -> int:
        """Return how many maps stand beside each other, of which ``fit``: each layer of several begins a row."""
        of_a_layer = sum(one.layer == maps[0].layer for one in maps)
        count = of_a_layer if of_a_layer > 1 else len(maps)
        return math.ceil(count / math.ceil(count / fit))

    def _head(self, canvas: Any, explanation: Explanation, width: int) -> None:
        self._title(canvas, " ".join(explanation.text.split()), width - MARGIN)
        shape = f"{len(self.part.layers)} layers, {self.part.heads} heads"
        facts = f"{explanation.model}: {self.part.name} attention, {shape}"
        canvas.text((MARGIN, MARGIN + LINE), _cut(facts, self._plain(), width - 2 * MARGIN), QUIET, self._plain())
        self._legend(canvas)

    def _title(self, canvas: Any, text: str, end: int) -> None:
        """Write the text, each run of characters in the first font that has them, as far as there is room."""
        left: float = MARGIN
        for font, run in groupby(text, lambda char: self.fonts.font(char) or self._plain()):
            part = "".join(run)
            canvas.text((left, MARGIN + LETTER), _cut(part, font, round(end - left)), INK, font, anchor="ls")
            left += font.getlength(part)
            if left > end:
                return

    def _legend(self, canvas: Any) -> None:
        """Draw the scale: the colours go by the root of a weight, as the ticks show."""
        top, font, width = MARGIN + 2 * LINE + 4 * SCALE, self._plain(small=True), 160 * SCALE
        for pixel in range(width):
            canvas.line((MARGIN + pixel, top, MARGIN + pixel, top + 8 * SCALE), colour((pixel / width) ** 2, LIGHT))
        for tick in (0, 10, 25, 50, 100):
            place = MARGIN + width * (tick / 100) ** 0.5
            canvas.text((place, top + 10 * SCALE), str(tick), QUIET, font, anchor="mt" if tick else "lt")
        says = "% of a row's attention: the row reads the column"
        canvas.text((MARGIN + width + 20 * SCALE, top + 4 * SCALE), says, QUIET, font, anchor="lm")

    def _map(self, image: Any, canvas: Any, one: Map, place: tuple[int, int], margin: tuple[int, int]) -> None:
        left, top = place[0] + margin[0], place[1] + margin[1]
        canvas.text((left, place[1]), one.title, INK, self._plain())
        if self.labelled:
            self._labels(image, canvas, (left, top))
        for row, weights in enumerate(one.weights):
            for column, weight in enumerate(weights):
                corner = (left + column * self.cell, top + row * self.cell)
                self._cell(canvas, float(weight), corner)

    def _cell(self, canvas: Any, weight: float, corner: tuple[int, int]) -> None:
        line = SCALE if self.cell >= 8 * SCALE else 0
        end = (corner[0] + self.cell - 1 - line, corner[1] + self.cell - 1 - line)
        ground = colour(weight, LIGHT) if weight else PAPER
        canvas.rectangle((*corner, *end), ground, None if weight else HIDDEN)
        if self.cell >= 26 * SCALE and weight >= 0.005:
            middle = (corner[0] + (self.cell - line) / 2, corner[1] + (self.cell - line) / 2)
            canvas.text(middle, f"{100 * weight:.0f}", ink(ground), self._plain(small=True), anchor="mm")

    def _labels(self, image: Any, canvas: Any, corner: tuple[int, int]) -> None:
        from PIL import Image, ImageDraw

        for row, token in enumerate(self.part.queries):
            text, font = self._label(token)
            place = (corner[0] - 6 * SCALE, corner[1] + (row + 0.5) * self.cell)
            canvas.text(place, text, QUIET if token.special else INK, font, anchor="rm")
        for column, token in enumerate(self.part.keys):
            text, font = self._label(token)
            shade, middle = QUIET if token.special else INK, round(corner[0] + (column + 0.5) * self.cell)
            if self.level:
                canvas.text((middle, corner[1] - 5 * SCALE), text, shade, font, anchor="ms")
                continue
            strip = Image.new("L", (round(font.getlength(text)) + 2, LINE))
            ImageDraw.Draw(strip).text((0, LINE // 2), text, 255, font, anchor="lm")
            turned = strip.rotate(90, expand=True)
            image.paste(shade, (middle - LINE // 2, corner[1] - 5 * SCALE - turned.height), turned)

    def _margin(self, tokens: Sequence[Token]) -> int:
        """Return the room that the labels of ``tokens`` take."""
        if not self.labelled:
            return 0
        longest: float = max(font.getlength(text) for text, font in map(self._label, tokens))
        return round(longest) + 10 * SCALE

    def _label(self, token: Token) -> tuple[str, Any]:
        font = self.fonts.font(token.text)
        if font is None:
            return f"#{token.position}", self._plain()
        return _cut(token.text, font, LONGEST_LABEL), font

    def _plain(self, small: bool = False) -> Any:
        return (self.small if small else self.fonts).font("a")


def _cut(text: str, font: Any, room: int) -> str:
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(text + "…") > room:
        text = text[:-1]
    return text + "…"
