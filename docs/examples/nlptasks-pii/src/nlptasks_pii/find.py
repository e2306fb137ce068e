"""Where a text holds e-mail addresses, phone, card and id numbers.

Better too much than too little: whatever has the form of such a number is taken for one, with or without a valid
checksum, and its kind is a guess that tells a model how to speak of it. Dates, years and short numbers stay.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from functools import cache

import regex

from nlptasks_pii import presidio
from nlptasks_pii.found import Found

KEEP = "KEEP"
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}"  # a word may follow there without a space
_ANY = r"\p{L}\p{M}\p{N}_"
_L, _LOCAL, _HOST = (rf"[[{_ANY}{more}]--[{_UNSPACED}]]" for more in ("", ".+%'-", "-"))
_GAP = r"[\p{Zs}\p{Pd}]"
_YEAR = r"(?:19|20)\d\d"

_AT = r"[@＠]|\s?[\[(]at[\])]\s?"
_DOMAIN = rf"(?:[{_ANY}-]++[.．])+(?:{_HOST}++|[{_UNSPACED}]++)"
_MAIL = (
    rf"(?<!{_LOCAL}){_LOCAL}++(?:{_AT}){_DOMAIN}",
    rf"(?<![{_ANY}.-])[{_ANY}.-]++(?<=[{_UNSPACED}])[@＠]{_DOMAIN}",  # 张三@例子.中国
)
_WITH_LETTERS = (
    r"(?=(?:[a-z\p{Zs}]*\d){10})[a-z]{2}\d\d(?:\p{Zs}[a-z\d]{4}){2,7}(?:\p{Zs}[a-z\d]{1,3})?",  # IBAN
    r"[a-z]{2}(?:\p{Zs}?\d\d){3}\p{Zs}?[a-d](?![a-z])",  # British national insurance
    r"[a-z]{1,2}\d{6}\p{Zs}?[(（][\da][)）]",  # Hong Kong
    r"(?=\d*[a-z])(?=(?:[a-z]*\d){2})[cfghj-np-rtv-z\d]{9,10}",  # German cards, which have no vowels
    r"(?=\d*[a-z])(?=(?:[a-z]*\d){5})[a-z\d]{7,}",  # passports and their like
)
_DATE = (
    rf"(?<!\d[./-])(?:{_YEAR}[./-][01]?\d[./-][0-3]?\d|[0-3]?\d[./-][0-3]?\d[./-](?:19|20)?\d\d)(?![./-]?\d)",
    rf"(?<!\d{_GAP}){_YEAR}(?:\p{{Pd}}{_YEAR}|(?:\p{{Zs}}{_YEAR})+)(?!{_GAP}?\d)",
)
_CARD = (
    rf"\d{{4}}(?:{_GAP}\d{{4}}){{3}}(?:{_GAP}\d{{1,3}})?",
    rf"3\d{{3}}{_GAP}\d{{6}}{_GAP}\d{{5}}",  # American Express
    r"(?:\d{14,16}|\d{19})(?![\dx])",
)
_ID = (
    rf"\d{{6}}{_GAP}?\d{{8}}{_GAP}?\d{{3}}[\dx]",  # China
    rf"\d{{2}}(?:{_GAP}\d{{3}}){{3}}",  # German tax
    r"\d{2}\p{Zs}?\d{6}\p{Zs}?[a-z]\p{Zs}?\d{3}",  # German pension insurance
    rf"\d{{3}}{_GAP}\d{{2}}{_GAP}\d{{4}}",  # US social security
)
_PHONE = (
    r"(?:[+＋]|[(（]?0)[(（]?\d(?:[\p{Zs}\p{Pd}()（）./]{0,3}\d){5,14}",
    r"[(（]?\d{3}[)）]?[\p{Zs}\p{Pd}.]{0,2}\d{3}[\p{Zs}\p{Pd}.]\d{4}",
    rf"1[3-9]\d{_GAP}\d{{4}}{_GAP}\d{{4}}|\d{{4}}{_GAP}\d{{4}}|\d{{3}}(?:{_GAP}\d{{3}}){{2}}",
    r"(?<=(?:phone|tel|mobile?|handy|fax|call|ruf|电话|手机|致电)\p{L}{0,6}[:：.]?\p{Zs}?)\d(?:[\p{Zs}\p{Pd}/]?\d){5,14}",
    r"(?=(?:\p{Pd}?\d){7})\d++(?:\p{Pd}\d++)*+",  # whatever has seven digits or more
)


def find(text: str) -> Sequence[Found]:
    """Return what identifies someone in ``text``, in order and without overlaps."""
    patterns = [_numbers(), *([_mails()] if regex.search(_AT, text, regex.I) else [])]
    matches = (match for pattern in patterns for match in pattern.finditer(text) if match.lastgroup != KEEP)
    return _apart([*(Found(*match.span(), str(match.lastgroup)) for match in matches), *presidio.find(text)])


@cache
def _mails() -> regex.Pattern[str]:
    return regex.compile(f"(?iV1){_kind('EMAIL', _MAIL)}")


@cache
def _numbers() -> regex.Pattern[str]:
    kinds = "|".join(itertools.starmap(_kind, ((KEEP, _DATE), ("CARD", _CARD), ("ID", _ID), ("PHONE", _PHONE))))
    with_letters = rf"(?=[a-z]{{0,34}}\p{{Zs}}?\d)(?<!{_L}){_kind('ID', _WITH_LETTERS)}(?!{_L})"
    return regex.compile(rf"(?iV1){with_letters}|(?=[\d+＋(（])(?<!\d)(?:{kinds})(?!\d)")


def _kind(name: str, forms: Iterable[str]) -> str:
    return f"(?P<{name}>{'|'.join(forms)})"


def _apart(found: Iterable[Found]) -> list[Found]:
    """Merge what overlaps, so that no part of it is left."""
    merged: list[Found] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if merged and one.start < merged[-1].end:
            merged[-1] = merged[-1]._replace(end=max(one.end, merged[-1].end))
        else:
            merged.append(one)
    return merged
