"""What the reader learns from: questions with crops of their passages, and with whole ones.

A crop costs a third of a passage, so that a question can be met several times in other surroundings; some crops lack
the answer, as most windows over a long document will.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
SHORTEST, LONGEST = 64, 144
"""Tokens of a crop."""
LACKING = 0.1
"""Share of the crops that are drawn without the answer."""


@dataclass(frozen=True)
class Passage:
    """A passage with the characters at which its tokens begin and end."""

    text: str
    tokens: list[tuple[int, int]]

    def cut(self, first: int, count: int) -> tuple[str, int]:
        """Return the text of so many tokens, and the character at which it begins."""
        start, end = self.tokens[first][0], self.tokens[min(first + count, len(self.tokens)) - 1][1]
        return self.text[start:end], start

    def covering(self, start: int, end: int) -> tuple[int, int]:
        """Return the first and the last token of the characters ``start`` to ``end``."""
        places = [place for place, (first, last) in enumerate(self.tokens) if last > start and first < end]
        return places[0], places[-1]


def crops(rows: Iterable[Row], tokenizer: Any, times: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield ``times`` crops for each row of question, context, answers and answer_starts."""
    chance = random.Random(seed)
    for row in rows:
        encoding = tokenizer(row["context"], add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        passage = Passage(row["context"], encoding["offset_mapping"])
        for number in range(times):
            size = chance.randint(SHORTEST, LONGEST)
            crop = _without if not row["answers"] or chance.random() < LACKING else _around
            yield {"id": f"{row['id']}-{number}", "question": row["question"], **crop(row, passage, size, chance)}


def whole(row: Row) -> dict[str, Any]:
    """Return a row with its whole passage and its first answer."""
    return {**row, "answers": row["answers"][:1], "answer_starts": row["answer_starts"][:1]}


def _around(row: Row, passage: Passage, size: int, chance: random.Random) -> dict[str, Any]:
    """Return a crop that holds the first answer, anywhere in it."""
    answer, start = row["answers"][0], row["answer_starts"][0]
    first, last = passage.covering(start, start + len(answer))
    size = max(size, last - first + 1)
    lowest = max(0, last - size + 1)
    text, begin = passage.cut(chance.randint(lowest, max(lowest, min(first, len(passage.tokens) - size))), size)
    return {"context": text, "answers": [answer], "answer_starts": [start - begin]}


def _without(row: Row, passage: Passage, size: int, chance: random.Random) -> dict[str, Any]:
    """Return a crop of what stands before or behind all answers, or of the whole where nothing answers."""
    if not row["answers"]:
        ranges = [(0, len(passage.tokens))]
    else:
        found = zip(row["answers"], row["answer_starts"], strict=True)
        spans = [passage.covering(start, start + len(answer)) for answer, start in found]
        ranges = [(0, min(first for first, _ in spans)), (max(last for _, last in spans) + 1, len(passage.tokens))]
        ranges = [(first, end) for first, end in ranges if end - first >= SHORTEST // 2]
        if not ranges:
            return _around(row, passage, size, chance)
    first, end = chance.choice(ranges)
    size = min(size, end - first)
    text, _ = passage.cut(chance.randint(first, end - size), size)
    return {"context": text, "answers": [], "answer_starts": []}
