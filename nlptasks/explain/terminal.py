"""Heat maps for the terminal: colours where there are colours, shades of grey characters elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.style import Style
from rich.table import Column, Table
from rich.text import Text

from nlptasks.explain.choice import Choice, Map
from nlptasks.explain.explanation import Explanation, links
from nlptasks.explain.ramp import DARK, colour, ink
from nlptasks.explain.steps import EQUATION, SOURCE, Steps

if TYPE_CHECKING:
    from nlptasks.explain.attention import Numbers, Part
    from nlptasks.explain.explanation import Spans
    from nlptasks.explain.tokens import Token

SHADES = {0.6: "█", 0.3: "▓", 0.1: "▒", 0.02: "░", 0.0: " "}
"""Without colours: the sign of the weights from each number on. Most weights are small, so the steps widen."""

LEGEND = ", ".join(f"{sign} from {100 * least:.0f}" for least, sign in reversed(SHADES.items()) if least)
LABEL = 14
"""Widest label of a row, in cells of the terminal."""

NUMBERED, NARROW, NARROWEST = 4, 2, 1
"""How wide a weight is drawn: with its number, or as colour alone."""


def show(console: Console, explanation: Explanation, part: Part, choice: Choice) -> None:
    """Print the tokens and the chosen heat maps of ``part``, and what the family has beside them."""
    kind, heads = explanation.architecture, f"{len(part.layers)} layers, {part.heads} heads each"
    console.print(Text(f"{explanation.model}: {kind}, {heads}"))
    console.print()
    console.print(_tokens(part))
    if "target" in explanation.facts:
        console.print(Text(f"\nwritten: {explanation.facts['target']}"))
    if explanation.spans:
        console.print(_spans(explanation, explanation.spans))
    console.print(Text(f"\n{part.name} attention: {part.says}; shares of 100"))
    if not _coloured(console):
        console.print(Text(LEGEND))
    maps = [Heat(one, part, console).render() for one in choice.maps(part)]
    console.print(Columns(maps, padding=(1, 3)))
    if part.name == "cross":
        console.print(_links(part, choice))


def show_steps(console: Console, steps: Steps) -> None:
    """Print the numbers of one position, from its query to its weighted sum."""
    place = f"layer {steps.layer}, head {steps.head}, position {steps.token.position}: "
    console.print(Text.assemble((EQUATION, "bold"), f"   ({SOURCE})\n", place, (steps.token.text, "bold")))
    size = len(steps.query)
    scale = f"dₖ = {size}" + ("" if _is_root(steps) else f"; this model multiplies by {steps.scale:.4g} instead")
    console.print(Text(scale + "\n"))
    console.print(_step_table(steps, max(1, (console.width - 52) // 14)))
    if not steps.exact:
        console.print(Text("\nThis model changes its scores once more before the softmax; the weights are its own."))


def _is_root(steps: Steps) -> bool:
    return bool(abs(steps.scale * len(steps.query) ** 0.5 - 1) < 1e-6)


def _step_table(steps: Steps, room: int) -> Table:
    biased = any(steps.bias[place] for place in steps.visible)
    scores = ["q·k", "/√dₖ" if _is_root(steps) else "scaled", *(["bias", "sum"] if biased else []), "softmax"]
    numbers = [Column(title, justify="right") for title in scores]
    table = Table("", "token", *numbers, "query, keys", "values, sum", box=None, pad_edge=False, header_style="bold")
    empty = [""] * len(numbers)
    table.add_row("", Text("query", "italic"), *empty, Text(_vector(steps.query, room), "italic"), "")
    for place in steps.visible:
        scaled = steps.products[place] * steps.scale
        found = [steps.products[place], scaled, *([steps.bias[place], steps.scores[place]] if biased else [])]
        table.add_row(
            str(place),
            Text(_cut(steps.tokens[place].text)),
            *(f"{score:.3f}" for score in found),
            Text(f"{steps.weights[place]:.4f}", "bold"),
            Text(_vector(steps.keys[place], room)),
            Text(_vector(steps.values[place], room)),
        )
    table.add_row("", Text("sum", "italic"), *empty, "", Text(_vector(steps.sum, room), "italic"))
    return table


def _vector(numbers: Numbers, room: int) -> str:
    shown = " ".join(f"{number:6.3f}" for number in numbers[:room])
    return shown + (" …" if len(numbers) > room else "")


def _tokens(part: Part) -> Columns:
    """Return the tokens of a part with positions and ids, in as many columns as there is room for."""
    groups = (
        [("tokens", part.keys)] if part.queries == part.keys else [("source", part.keys), ("written", part.queries)]
    )
    return Columns([_token_table(name, tokens) for name, tokens in groups], padding=(0, 4))


def _token_table(name: str, tokens: Sequence[Token]) -> Table:
    place, id_ = (Column(title, justify="right") for title in ("position", "id"))
    table = Table(place, name, id_, box=None, pad_edge=False, header_style="bold")
    for token in tokens:
        table.add_row(str(token.position), _label(token), str(token.id))
    return table


def _label(token: Token) -> Text:
    return Text(token.text, "dim" if token.special else "")


def _cut(text: str) -> str:
    return text if cell_len(text) <= LABEL else set_cell_size(text, LABEL - 1) + "…"


@dataclass(frozen=True)
class Heat:
    """One heat map, as wide as ``console`` allows: columns that do not fit stand in a further block below."""

    map: Map
    part: Part
    console: Console

    def render(self) -> RenderableType:
        """Return title, head line and rows."""
        title = Text(self.map.title, "bold")
        width, fits = self._width()
        count = len(self.part.keys)
        blocks = [range(first, min(first + fits, count)) for first in range(0, count, fits)]
        return Group(title, *(self._block(block, width) for block in blocks))

    @property
    def _margin(self) -> int:
        return max(cell_len(_cut(token.text)) for token in self.part.queries) + 1 + self._digits

    @property
    def _digits(self) -> int:
        return len(str(len(self.part.queries) - 1)) + 1

    def _width(self) -> tuple[int, int]:
        """Return how wide a weight is drawn, and how many stand beside each other."""
        room, count = self.console.width - self._margin, len(self.part.keys)
        width = next((width for width in (NUMBERED, NARROW) if width * count <= room), NARROWEST)
        return width, max(1, room // width)

    def _block(self, keys: range, width: int) -> Text:
        lines = [self._head(keys, width)]
        lines += [self._row(row, token, keys, width) for row, token in enumerate(self.part.queries)]
        return Text("\n").join(lines)

    def _head(self, keys: range, width: int) -> Text:
        """Return the positions of the columns; where there is no room for each, those that can be told apart."""
        every = 1 if width > len(str(keys[-1])) else 5
        line = [" "] * (width * len(keys) + len(str(keys[-1])))
        for place, key in enumerate(keys):
            if key % every == 0:
                digits = str(key)
                end = (place + 1) * width if width > 1 else place + len(digits)
                line[end - len(digits) : end] = digits
        return Text(" " * self._margin + "".join(line).rstrip(), "dim")

    def _row(self, row: int, token: Token, keys: range, width: int) -> Text:
        label = set_cell_size(_cut(token.text), self._margin - self._digits - 1)
        line = Text.assemble((str(row).rjust(self._digits - 1) + " ", "dim"), label, " ")
        for key in keys:
            line.append_text(self._cell(float(self.map.weights[row, key]), width))
        return line

    def _cell(self, weight: float, width: int) -> Text:
        number = f"{100 * weight:.0f}" if 100 * weight >= 0.5 else "·" if weight else ""
        if not _coloured(self.console):
            shade = next(sign for least, sign in SHADES.items() if weight >= least)
            return Text(shade + number.rjust(3) if width == NUMBERED else shade * width)
        ground = colour(weight, DARK)
        text = number.rjust(width - 1) + " " if width == NUMBERED else " " * width
        return Text(text, Style(color=_rgb(ink(ground)), bgcolor=_rgb(ground)) if weight else "")


def _coloured(console: Console) -> bool:
    return console.color_system is not None and not console.no_color


def _rgb(shade: tuple[int, int, int]) -> str:
    return f"rgb({shade[0]},{shade[1]},{shade[2]})"


def _links(part: Part, choice: Choice) -> RenderableType:
    table = Table("written", "drew most on", "share", box=None, pad_edge=False, header_style="bold")
    for link in links(part, choice.mean(part)):
        table.add_row(Text(link.target), Text(link.source), Text(f"{100 * link.weight:.0f}", justify="right"))
    return Group(Text("\nwords, by the mean of the chosen heads"), table)


def _spans(explanation: Explanation, spans: Spans) -> RenderableType:
    table = Table("position", "token", "begins", "", "ends", "", box=None, pad_edge=False, header_style="bold")
    rows = list(zip(explanation.parts[0].keys, spans.starts, spans.ends, strict=True))
    for token, start, end in rows:
        if max(start, end) >= 0.005:
            place = Text(str(token.position), justify="right")
            table.add_row(place, _label(token), *_bar(start), *_bar(end))
    found = f"answer: {spans.answer}" if spans.answer else "no answer"
    line = f"\n{explanation.facts['question']}\n{found} ({spans.score:.3f}; no answer {spans.no_answer:.3f})\n"
    return Group(Text(line), table)


def _bar(probability: float) -> Iterator[Any]:
    yield Text(f"{100 * probability:.0f}", justify="right")
    yield Text("█" * round(10 * probability), "blue")
