"""Where sentences end, in every script."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import groupby, pairwise

from nlptasks.text._languages import detect_language

Span = tuple[int, int]

# A point after these never ends a sentence ...
_NEVER = set(
    "mr mrs ms dr prof st mt gen col capt lt sgt rev hon gov sen rep pres messrs vs cf e.g i.e viz approx "
    "hr hrn fr bzw ggf evtl inkl exkl sog vgl ca z.b d.h u.a v.a i.d.r s.o s.u m.a.w dipl ing phil jur "
    "m mme mlle mm mgr sra srta ud uds sig dott dhr mevr drs bijv проф акад ген им ул гл".split()
)
# ... nor after these before a number ...
_BEFORE_NUMBER = set("no nos nr fig figs vol sec ch chap art eq pp abs abb bd tab kap núm pág стр рис табл ст".split())
# ... and after these, single letters, "U.S." and the like only before a word that often begins one.
_MAYBE = set(
    "inc ltd co corp jr sr al bros dept ave blvd jan feb mar apr jun jul aug sep sept oct nov dec okt dez "
    "mio mrd tsd chr geb med str bd nr abs lat griech тыс млн млрд руб др".split()
)
_FIRST_WORDS = set(
    "the a an he she it i we you they this that these those there in on at but and if when his her my as for "
    "what who how why der die das ein eine er sie es wir ich ihr im am an auf bei und aber doch dann da so wenn "
    "als dies diese dieser dieses nach mit für seit le la les un une il elle ils elles je nous vous on ce cette "
    "ces dans mais et el los las una él ella yo en pero este esta lo gli lui lei ma o os um uma ele ela em mas "
    "het een hij zij ze ik op maar он она оно они я мы вы это в на и но с".split()
)
_THAI_CLAUSE = 40  # characters: Thai has no full stop, so a space behind this much ends a sentence

_STOP = re.compile(
    r"""(?P<full>[。！？｡．؟۔।॥።፧։།៕។။᠃][。！？｡．؟۔।॥.!?…]*[”’»›)\]}」』）】〉》]*)
    |   (?P<european>[.!?…‼⁇⁈⁉‽]+["'”’“‘»›)\]}」』）】]*(?:[ \xa0\u202f]»(?!\S))?)
    |   (?P<space>(?<=[\u0e00-\u0eff])[ \t\xa0]+(?=[\u0e00-\u0eff]))""",
    re.VERBOSE,
)
_CLOSING = "\"'”’“‘»›)]}」』）】〉》 \xa0\u202f"
_OPENING = re.compile(r"""(?:[-–—]\s+)?["'“”‘’„‚«»‹›(\[{（「『《【¿¡*_]{0,4}""")
_TOKEN = re.compile(r"(?<!\w)(?:(?:[^\W\d_]\.[ \xa0\u202f]|[^\W\d_]{1,2}\.)+[^\W\d_]|[^\W\d_]+|\d+)$")
_ROMAN = re.compile(r"[IVX]+")
_WORD = re.compile(r"\w+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_QUOTATION_GOES_ON = re.compile(r"と|って|[、，,;；]")
_ORDINAL = re.compile(r"(?<!\d)\d\d?\. ")
_ITEM = re.compile(r"[-*+•‣▪·>|#=]|\d{1,3}[.)]\s|[^\W\d_][.)]\s|[（(]?[一二三四五六七八九十\d]{1,3}[)）、]")


def sentences(text: str, lang: str | None = None) -> list[str]:
    """Return the sentences of ``text`` without outer white space; headings and list items stand alone."""
    return [text[start:end] for start, end in sentence_spans(text, lang)]


def sentence_spans(text: str, lang: str | None = None) -> list[Span]:
    """Return each sentence's start and end in characters; only white space lies outside them.

    In doubt two sentences stay together: half a sentence is the worse mistake.
    """
    if lang is None and _ORDINAL.search(text):  # nothing else depends on the language
        lang = detect_language(text)
    german = (lang or "").partition("-")[0] == "de"
    spans = []
    for start, end in _blocks(text):
        small = text[start:end].islower()  # then a small letter does not tell that a sentence goes on
        for match in _STOP.finditer(text, start, end):
            before = text[max(start, match.start() - 16) : match.start()]
            after = text[match.end() : min(match.end() + 40, end)]
            if match["space"]:
                ends = match.end() - start >= _THAI_CLAUSE
            elif match["full"]:
                ends = _full_stop_ends(before, match[0], after)
            else:
                ends = _european_stop_ends(before, match[0], after, german, small)
            if ends:
                # straight quotes do not tell whether they close: an odd one out does
                straight = after[:1] == '"' and text.count('"', start, match.end()) % 2
                spans.append(_strip(text, start, match.end() + straight))
                start = match.end() + straight
        spans.append(_strip(text, start, end))
    return [(start, end) for start, end in spans if start < end]


def _full_stop_ends(before: str, stop: str, after: str) -> bool:
    """Return whether a sentence ends with a stop that needs no space behind it."""
    if stop == "．" and before[-1:].isdigit() and after[:1].isdigit():
        return False
    return not (stop[-1] in _CLOSING and _QUOTATION_GOES_ON.match(after))


def _european_stop_ends(before: str, stop: str, after: str, german: bool, small: bool) -> bool:
    """Return whether a sentence ends with a stop that a space must follow."""
    following = after.lstrip()
    if not following:
        return True
    if following == after:  # no space: 3.5, example.com; or Chinese with ".", or the space was forgotten
        return stop in (".", "!", "?") and _space_forgotten(before, after)
    opening = _OPENING.match(following)
    word = _WORD.match(following, opening.end() if opening else 0)
    if word is None:
        return following[0] not in ",;:)]"
    if word[0][0].islower() and not small:
        return False
    return stop.strip(_CLOSING) != "." or _point_ends(before, word[0], following[word.end() :][:1], german)


def _space_forgotten(before: str, after: str) -> bool:
    """Return whether a stop without a space behind it is prose all the same, not example.com or a.B."""
    if _CJK.match(after):
        return bool(_CJK.match(before[-1:]))
    last, first = before.split()[-1:], _WORD.match(after)
    return bool(
        last and len(last[0]) > 1 and last[0].isalpha() and last[0].islower()
        and first and first[0].isalpha() and first[0].istitle()
        and after[first.end() : first.end() + 1].strip() in ("", ",", "'", "’")
    )  # fmt: skip


def _point_ends(before: str, word: str, after: str, german: bool) -> bool:
    """Return whether a point ends a sentence, not an abbreviation, an initial or an ordinal."""
    match = _TOKEN.search(before)
    if match is None:
        return True
    token = "".join(match[0].lower().split())
    if before[: match.start()].endswith("("):  # (engl. House)
        return False
    if token in _NEVER or (token in _BEFORE_NUMBER and word[0].isdigit()):
        return False
    if token.isdigit():
        if before.strip() == token:  # it numbers the heading or list item that it begins
            return False
        doubtful = german and len(token) < 3
    else:
        doubtful = len(token) == 1 or "." in token or token in _MAYBE or bool(_ROMAN.fullmatch(match[0]))
    return not doubtful or (word.lower() in _FIRST_WORDS and after != ".")


def _blocks(text: str) -> Iterator[Span]:
    """Yield what sentences do not reach across: a paragraph, a heading, a list item."""
    for filled, group in groupby(_lines(text), key=lambda line: line[0] < line[1]):
        if not filled:
            continue
        lines = list(group)
        longest = max(end - start for start, end in lines)
        full = sum(end - start > 0.8 * longest for start, end in lines)
        width = longest if full > 1 else math.inf
        begin = lines[0][0]
        for line, following in pairwise(lines):
            if not _wrapped(text[slice(*line)], text[following[0] : min(following[0] + 40, following[1])], width):
                yield begin, line[1]
                begin = following[0]
        yield begin, lines[-1][1]


def _wrapped(line: str, following: str, width: float) -> bool:
    """Return whether a sentence may go on in the ``following`` line of a paragraph ``width`` wide."""
    if line[0] == "#" or _ITEM.match(following):
        return False
    if (stop := re.search(r"\S{1,8}$", line)) and _STOP.search(stop[0]):
        return True  # what follows the stop will tell
    wide = 2 if _CJK.match(line[-1]) else 1
    if following[0].islower() and not line.islower():
        return True
    first = following[:1] if wide == 2 else following.split(None, 1)[0]
    return width * wide >= 50 and len(line) + 1 + len(first) > width


def _lines(text: str) -> Iterator[Span]:
    end = 0
    for line in text.splitlines(keepends=True):
        start, end = end, end + len(line)
        yield _strip(text, start, end)


def _strip(text: str, start: int, end: int) -> Span:
    piece = text[start:end].rstrip()
    return start + len(piece) - len(piece.lstrip()), start + len(piece)
