"""Longest common subsequences of tokens."""

from __future__ import annotations

from functools import cached_property

BLOCK = 1000
"""Columns that are kept at a time, so that texts of a million characters do not fill the memory."""


class Tokens:
    """Tokens in order, to be compared with others.

    The table of longest common subsequences has a row for each of these and a column for each of the others'. Bit i
    of a column is 0 where it grows from row i to row i + 1, and all rows are worked out at once by one addition
    (Hyyrö 2004, Bit-parallel LCS-length computation revisited).
    """

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens

    def longest(self, others: list[str]) -> int:
        """Return the length of the longest subsequence in common."""
        column = self._full
        for at in range(0, len(others), BLOCK):
            column = self._columns(column, others[at : at + BLOCK])[-1]
        return len(self.tokens) - column.bit_count()

    def members(self, others: list[str]) -> int:
        """Return, as the bits of a number, which tokens a longest one holds: of several, the one rouge_score has."""
        blocks = [others[at : at + BLOCK] for at in range(0, len(others), BLOCK)]
        starts = [self._full]
        for block in blocks[:-1]:
            starts.append(self._columns(starts[-1], block)[-1])
        found, below = 0, self._full
        while blocks:
            block = blocks.pop()
            for token, column in zip(reversed(block), reversed(self._columns(starts.pop(), block)), strict=True):
                same = self._places.get(token, 0)
                turns = below & (same | ~column)  # where the way back through the table leaves this column
                here = 1 << turns.bit_length() >> 1
                found |= same & here
                below &= here - 1 if same & here else 2 * here - 1
        return found

    @cached_property
    def _full(self) -> int:
        return (1 << len(self.tokens)) - 1

    @cached_property
    def _places(self) -> dict[str, int]:
        """Where each token stands, as the bits of a number."""
        found: dict[str, int] = {}
        for place, token in enumerate(self.tokens):
            found[token] = found.get(token, 0) | 1 << place
        return found

    def _columns(self, column: int, others: list[str]) -> list[int]:
        """Return the columns that follow ``column``."""
        places, full, columns = self._places, self._full, []
        for token in others:
            if match := places.get(token, 0) & column:
                column = ((column + match) | (column - match)) & full
            columns.append(column)
        return columns
