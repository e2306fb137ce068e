"""Chunks of a long text for a reader that takes only so much at a time."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from itertools import pairwise

from nlptasks.text._sentences import sentence_spans

_BLANK_LINE = re.compile(r"\n\s*?\n")


def split_to_fit(text: str, size: int, count: Callable[[str], int]) -> list[str]:
    """Return ``text`` in chunks with ``count(chunk) <= size``; only white space between them is dropped.

    A chunk is made of whole sentences, and of whole paragraphs where the next one fits by itself; a
    sentence that is too long is cut between words, and a word between characters. ``count`` (say, of
    tokens) should not shrink as a text grows; it is called a few times per chunk, on texts not much
    longer than a chunk. Raises ValueError if a single character does not fit.
    """
    return _Splitter(text, size, count).chunks()


class _Splitter:
    """A greedy walk over ``ends``, the places where a chunk may end."""

    def __init__(self, text: str, size: int, count: Callable[[str], int]) -> None:
        spans = sentence_spans(text)
        self.text, self.size, self.count = text, size, count
        self.ends = [end for _, end in spans]
        gaps = ((end, start) for (_, end), (start, _) in pairwise(spans))
        self.paragraphs = [end for end, start in gaps if _BLANK_LINE.search(text, end, start)] + self.ends[-1:]
        self.rate = 1.0  # characters per unit of size, as last seen

    def chunks(self) -> list[str]:
        chunks, start, first = [], 0, 0
        while first < len(self.ends):
            last = self._last_that_fits(start, first)
            if last < first:
                self.ends[first : first + 1] = self._finer(start, self.ends[first])
                continue
            end = self._whole_paragraphs(start, self.ends[last])
            chunks.append(self.text[start:end].strip())
            start, first = end, bisect_right(self.ends, end)
        return chunks

    def _last_that_fits(self, start: int, first: int) -> int:
        """Return the index of the last end a chunk from ``start`` can reach, ``first - 1`` if none."""
        low, high, tries = first - 1, len(self.ends), 0
        while high - low > 1:
            guess = bisect_right(self.ends, start + int(self.size * self.rate)) - 1
            tries += 1
            if tries > 4:  # counts that are far from even: halve what is left, or double where nothing is known
                guess = (low + high) // 2 if high < len(self.ends) else low + 2 ** (tries - 3)
            middle = min(max(guess, low + 1), high - 1)
            units = self._measure(start, self.ends[middle])
            if units <= self.size:
                low = middle
            else:
                high = middle
            self.rate = max((self.ends[middle] - start) / max(units, 1), 1e-3)
        return low

    def _whole_paragraphs(self, start: int, end: int) -> int:
        """Return the last end of a paragraph before ``end`` if the one that ``end`` would cut fits alone."""
        following = bisect_left(self.paragraphs, end)
        if self.paragraphs[following] == end or following == 0 or (cut := self.paragraphs[following - 1]) <= start:
            return end
        whole = self._measure(cut, self.paragraphs[following]) <= self.size
        return cut if whole and self._measure(start, cut) <= self.size else end

    def _finer(self, start: int, end: int) -> list[int]:
        """Return ends inside a piece that is too long: between its words, or else between its characters."""
        import regex

        for unit in (r"\S+", r"\X", r"(?s:.)"):
            ends = [match.end() for match in regex.finditer(unit, self.text, pos=start, endpos=end)]
            ends = [each for each in ends if not self.text[each - 1].isspace()]
            if len(ends) > 1:
                return ends
        raise ValueError(f"A size of {self.size} is too small for even one character.")

    def _measure(self, start: int, end: int) -> int:
        return self.count(self.text[start:end].strip())
