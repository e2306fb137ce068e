"""Words for search and for counting overlap."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import regex

_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff\u0640"))  # ... and Arabic tatweel

_UNSPACED = frozenset("zh yue lzh wuu ja th lo km my".split())


def words(text: str, lang: str | None = None) -> list[str]:
    """Return the lower-case words of ``text`` in order, without punctuation.

    Where words are spaced, a word is a run of letters, marks and digits ("don't" gives "don", "t", so
    that "John's" meets "John"); a number keeps its inner points ("3.5"). Where they are not (Chinese,
    Japanese, Thai, Lao, Khmer, Burmese) each character with its marks is one, the unit in which ROUGE
    and BLEU of Chinese are reported. Text is NFKC-normalised, so full-width and composed forms meet. It
    is lower-cased rather than casefolded: folding writes ß as ss, and German "Maße" is not "Masse".
    ``lang`` matters for Turkish and Azerbaijani, whose I is the capital of ı.
    """
    if lang and lang.partition("-")[0] in ("tr", "az"):
        text = text.replace("İ", "i").replace("I", "ı")
    text = unicodedata.normalize("NFKC", text.translate(_INVISIBLE)).lower()
    return _pattern().findall(text)


def is_unspaced(lang: str) -> bool:
    """Return whether a language (a BCP-47 code) is written without spaces between words: length is in characters."""
    return lang.partition("-")[0].lower() in _UNSPACED


@cache
def _pattern() -> regex.Pattern[str]:
    import regex  # after --help: stdlib re takes Indic vowel signs for punctuation

    unspaced = "".join(rf"\p{{{name}}}" for name in "Han Hiragana Katakana Thai Lao Khmer Myanmar".split())
    return regex.compile(rf"(?V1)\d+(?:[.,:٫٬]\d+)++|[{unspaced}]\p{{M}}*+|[\w--[_{unspaced}]]++")
