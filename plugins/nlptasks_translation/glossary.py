"""A glossary: terms with the translation they must get."""

from __future__ import annotations

import csv
import unicodedata
from dataclasses import dataclass
from functools import cached_property

import regex

_SCRIPTS = "Han Hiragana Katakana Hangul Thai Lao Khmer Myanmar Tibetan".split()
# Korean has spaces between words, but joins particles to them.
_SPACED = r"[[\w\p{M}]--[" + "".join(rf"\p{{{name}}}" for name in _SCRIPTS) + "]]"


@dataclass(frozen=True)
class Term:
    """A term of the source language and its translation."""

    source: str
    target: str

    @cached_property
    def normal(self) -> str:
        """The term as it is compared."""
        return _normal(self.source)

    @cached_property
    def pattern(self) -> regex.Pattern[str]:
        """The normal term, as whole words where words are spaced."""
        before = rf"(?<!{_SPACED})" if regex.match(_SPACED, self.normal[0], regex.V1) else ""
        after = rf"(?!{_SPACED})" if regex.match(_SPACED, self.normal[-1], regex.V1) else ""
        return regex.compile(before + regex.escape(self.normal) + after, regex.V1)

    def kept_in(self, translation: str) -> bool:
        """Return whether the translation has the term's, inflected or in a compound as it may be."""
        return _normal(self.target) in _normal(translation)


@dataclass(frozen=True)
class Glossary:
    """Terms that must be translated in one way."""

    terms: tuple[Term, ...] = ()

    def found_in(self, text: str) -> list[Term]:
        """Return the terms that stand in ``text``; case does not matter."""
        text = _normal(text)
        return [term for term in self.terms if term.normal in text and term.pattern.search(text)]


def parse_glossary(text: str) -> Glossary:
    """Read ``term<TAB, = or ,>translation`` lines, with blank lines and ``#`` comments.

    Raises:
        ValueError: a line that is no term, or a term with a second translation; names the line.
    """
    terms: dict[str, Term] = {}
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        cells = _cells(line)
        if len(cells) != 2 or not all(cells):
            raise ValueError(f"line {number} is no term of a glossary: {line.strip()!r}. Write: term = translation")
        term = Term(*cells)
        if terms.setdefault(term.source, term) != term:
            raise ValueError(f"line {number} gives {term.source!r} a second translation: keep one")
    return Glossary(tuple(terms.values()))


def _cells(line: str) -> list[str]:
    if "\t" not in line and "=" in line:
        cells = line.split("=")
    else:
        [cells] = csv.reader([line], delimiter="\t" if "\t" in line else ",", skipinitialspace=True)
    return [cell.strip() for cell in cells]


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
