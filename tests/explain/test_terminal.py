from __future__ import annotations

import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from nlptasks.explain.choice import Choice
from nlptasks.explain.explanation import Explanation
from nlptasks.explain.steps import steps
from nlptasks.explain.terminal import show, show_steps
from tests.explain.conftest import Look
from tests.explain.drawn import WORDS, causal, weighted

ROWS: list[list[float]] = [[1, 0, 0, 0], [0.35, 0.65, 0, 0], [0.01, 0.05, 0.94, 0], [0.25, 0.25, 0.25, 0.25]]
ALL = Choice(named=True)


def lines(explanation: Explanation, width: int = 80, choice: Choice = ALL, **settings: object) -> list[str]:
    console = Console(file=io.StringIO(), width=width, **settings)  # type: ignore[arg-type]
    show(console, explanation, explanation.parts[0], choice)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined, no-any-return]


def test_tokens_ids_and_positions_are_listed() -> None:
    table = [line.split() for line in lines(weighted(ROWS))]
    assert table[0] == ["folder:", "TinyLM,", "1", "layers,", "1", "heads", "each"]
    assert table[2:7] == [
        ["position", "tokens", "id"],
        *([str(place), word, str(100 + place)] for place, word in enumerate(WORDS)),
    ]


def test_shades_and_numbers_stand_under_their_columns() -> None:
    found = lines(weighted(ROWS))
    head = found.index(next(line for line in found if line.startswith("layer 0, head 0"))) + 1
    rows = [row.rstrip() for row in found[head : head + 5]]
    assert rows == [
        "          0   1   2   3",
        "0 今天 █100",
        "1 天气 ▓ 35█ 65",
        "2 很      1░  5█ 94",
        "3 好   ▒ 25▒ 25▒ 25▒ 25",
    ]


def test_colours_say_the_same_where_there_are_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = lines(weighted(ROWS), force_terminal=True, color_system="truecolor")
    row = next(line for line in coloured if "65" in line)
    grounds = re.findall(r"48;2;(\d+);(\d+);(\d+)m", row)
    assert len(grounds) == 2
    assert sum(map(int, grounds[1])) > sum(map(int, grounds[0]))  # brighter is more
    assert not any(shade in "".join(coloured) for shade in "░▒▓█")


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    found = lines(weighted(ROWS), force_terminal=True, color_system="truecolor")
    assert "48;2" not in "".join(found)
    assert any("▓ 35█ 65" in line for line in found)


@pytest.mark.parametrize("width", [30, 80, 200])
@pytest.mark.parametrize("count", [1, 4, 40, 250])
def test_nothing_is_wider_than_the_terminal_and_no_column_is_lost(width: int, count: int) -> None:
    words = [("天气很好", "weather", "ü")[place % 3] for place in range(count)]
    found = lines(causal(words), width)
    assert max(map(cell_len, found)) <= width
    start = max(place for place, line in enumerate(found) if line.startswith("layer 0"))
    last = [line for line in found[start:] if line.lstrip().startswith(f"{count - 1} ")]
    assert re.sub(r"[^░▒▓█\d]", "", "".join(last))  # the last row, the only one that reads the last column
    if count == 250:
        rows = [line for line in found[start:] if re.match(r"\s*249 ", line)]
        shown = sum(cell_len(line) - cell_len("249 weather  ") for line in rows)
        assert shown >= 250 - len(rows) * 8


def test_without_a_choice_each_layer_is_one_map() -> None:
    found = "\n".join(lines(causal(layers=2, heads=3), choice=Choice()))
    assert re.findall(r"layer \d, mean of heads", found) == ["layer 0, mean of heads", "layer 1, mean of heads"]
    assert len(re.findall(r"layer \d, head \d", "\n".join(lines(causal(layers=2, heads=3))))) == 6


def test_an_answer_stands_with_its_bars(look: Look) -> None:
    found = look("bert-qa", "The weather is fine today.", question="How is the weather?")
    text = "\n".join(lines(found, 120, Choice((0,), (0,), named=True)))
    assert "How is the weather?" in text
    assert "no answer" in text
    assert "begins" in text


def test_what_is_written_and_its_words(look: Look) -> None:
    found = look("marian", "The weather is fine.", target="Das Wetter ist schön.")
    text = "\n".join(lines(found, 120, Choice((0,), (0,), named=True)))
    assert "written: Das Wetter ist schön." in text
    table = text.partition("words, by the mean")[2].splitlines()[2:]
    assert [row.split()[0] for row in table] == ["Das", "Wetter", "ist", "schön"]


@pytest.mark.parametrize("width", [80, 140])
def test_the_numbers_of_a_position_can_be_checked_by_hand(width: int) -> None:
    explanation = causal(size=2)
    console = Console(file=io.StringIO(), width=width)
    show_steps(console, steps(explanation.parts[0], 0, 0, 2))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "softmax(QKᵀ / √dₖ) V   (Vaswani et al. 2017, equation 1)" in text
    rows = [re.sub(r"…", "", line).split() for line in text.splitlines() if re.match(r"\d ", line)]
    assert [row[:2] for row in rows] == [["0", "今天"], ["1", "天气"], ["2", "很"]]
    for row in rows:
        assert float(row[3]) == pytest.approx(float(row[2]) / 2**0.5, abs=2e-3)
    assert sum(float(row[4]) for row in rows) == pytest.approx(1, abs=1e-3)
    dimensions = (len(rows[0]) - 5) // 2
    total = next(line for line in text.splitlines() if line.startswith("   sum")).replace("…", "").split()[1:]
    for place in range(dimensions):
        added = sum(float(row[4]) * float(row[5 + dimensions + place]) for row in rows)
        assert added == pytest.approx(float(total[place]), abs=3e-3)
