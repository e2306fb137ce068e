"""Which words two texts share: of the longest common subsequence of their words, whatever case they are in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import regex
from rapidfuzz.distance import LCSseq

from nlptasks.text import words

_RUN = regex.compile(r"([\p{L}\p{M}\p{N}\p{Cf}]++)")
_CHARACTER = regex.compile(r"\X")


@dataclass(frozen=True)
class Units:
    """A text in pieces that make it up: at odd places its words, at even ones what stands between them."""

    pieces: Sequence[str]
    keys: Sequence[str]

    @classmethod
    def of(cls, text: str) -> Units:
        """Return the pieces of a text; where words are not spaced, characters are the words."""
        pieces, keys = [""], []
        for place, run in enumerate(_RUN.split(text)):
            for unit in _units(run) if place % 2 else ():
                if key := _key(unit):
                    pieces += [unit, ""]
                    keys.append(key)
                else:
                    pieces[-1] += unit
            if not place % 2:
                pieces[-1] += run
        return cls(pieces, keys)

    def marks(self, shared: set[int]) -> list[int]:
        """Return the lengths of what is shared and what is not, in turn; a gap belongs to its neighbours if both agree.

        Lengths are in Unicode characters, as Python counts them.
        """
        lengths, marked = [0], False
        for place, piece in enumerate(self.pieces):
            around = {place // 2} if place % 2 else {place // 2 - 1, place // 2}
            new = all(0 <= unit < len(self.keys) and unit not in shared for unit in around)
            if new != marked:
                lengths.append(0)
                marked = new
            lengths[-1] += len(piece)
        return lengths


@dataclass(frozen=True)
class Diff:
    """A prediction against the nearest of its references: ``marks`` of both, see ``Units.marks``."""

    nearest: int
    prediction: list[int]
    reference: list[int]


def diff(prediction: str, references: Sequence[str]) -> Diff | None:
    """Return how a prediction differs from the nearest reference, None where there is none."""
    if not references:
        return None
    ours, theirs = Units.of(prediction), [Units.of(text) for text in references]
    likeness = [LCSseq.normalized_similarity(ours.keys, each.keys) for each in theirs]
    nearest = likeness.index(max(likeness))
    shared: tuple[set[int], set[int]] = set(), set()
    for block in LCSseq.opcodes(ours.keys, theirs[nearest].keys):
        if block.tag == "equal":
            shared[0].update(range(block.src_start, block.src_end))
            shared[1].update(range(block.dest_start, block.dest_end))
    return Diff(nearest, ours.marks(shared[0]), theirs[nearest].marks(shared[1]))


def _units(run: str) -> Iterator[str]:
    """Yield the words of a run of letters: the run, or where a script has no spaces its characters."""
    unit = ""
    for character in [run] if _one_word(run) else _CHARACTER.findall(run):
        if unit and not _one_word(unit[-1:] + character):
            yield unit
            unit = ""
        unit += character
    yield unit


@lru_cache(1 << 16)
def _one_word(text: str) -> bool:
    return len(words(text)) < 2


@lru_cache(1 << 16)
def _key(unit: str) -> str:
    return "".join(words(unit))
