"""Orders: "summarize this in two sentences", "Übersetze guten Morgen ins Englische".

A segment of a message is an order where instruction words stand at its beginning or its end; what they
leave in the middle is text, or says more about the order. Instruction words *within* the middle are text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache

from nlptasks import UnknownNameError
from nlptasks.text import language_code
from nlptasks_embedded.guide import lexicon as lex
from nlptasks_embedded.guide.speech import Word, joined, words_of

WINDOW = 40  # words at either end of a segment that may be instruction words
LEAST_NAME = 4  # letters of a language's name
ASKED = 12  # most words in "how do you say ... in German"

VERBS = {"summarize": "summarization", "translate": "translation", "render": "translation"}
_BEFORE = ("ask", *VERBS, "into", "reference", "request", "filler")
_AFTER = ("into", "out_of", "shape", "reference", "soft")
_END = ("into", "out_of", "shape", *VERBS, "ask_end", "soft")


def _longest_first(phrases: str) -> str:
    return "|".join(sorted(phrases.split("|"), key=len, reverse=True))


_COUNT = "|".join(name for name in lex.NUMBERS if name.isascii())
_PATTERNS = {
    "ask": _longest_first(lex.ASK),
    "ask_end": lex.ASK_END,
    "summarize": lex.SUMMARIZE,
    "translate": lex.TRANSLATE,
    "render": lex.RENDER,
    "request": _longest_first(lex.REQUEST),
    "filler": _longest_first(lex.FILLER),
    "soft": _longest_first(lex.SOFT),
    "reference": lex.REFERENCE,
    "out_of": rf"(?:{lex.OUT_OF}) \w+",
    "shape": rf"(?:(?:{lex.SHAPED}) )*(?:(?:\d+|{_COUNT}) (?:(?:{lex.SHAPED}) )*"
    rf"(?:{lex.SENTENCES}|{lex.WORDS}|{lex.BULLETS})|{lex.BULLETS}|{lex.HEADLINE})(?: (?:{lex.SHAPED_END}))?",
}
_REFERS = re.compile(rf"(?:{lex.PRONOUN})|{lex.REFERENCE}")
_REPLY = re.compile(rf"(?:{lex.REPLY})$")
_TRANSLATION = rf"\w+(?= (?:{lex.TRANSLATE}|version|fassung)(?: |$))|\w+ (?:to|into|nach|auf|ins) \w+"
_REQUEST = re.compile(rf"\b(?:{lex.REQUEST})\b")
_TEXT = re.compile(rf"(?:{lex.TEXT})$")


@dataclass(frozen=True)
class Order:
    """What is to be done with a text.

    ``language`` is the code of the target language, "" where none is said; ``shape`` holds fields of a
    summary's request; ``rest`` is what stands between the instruction words. ``about`` is "text" or "reply" where
    the order names what it is about ("translate the summary"); ``leads`` tells whether the segment begins with it.
    """

    task: str
    language: str = ""
    shape: Mapping[str, str] = field(default_factory=dict)
    rest: str = ""
    about: str = ""
    leads: bool = True


@dataclass(frozen=True)
class Item:
    """Instruction words of one kind."""

    kind: str
    text: str
    language: str = ""

    @property
    def words(self) -> int:
        """How many they are."""
        return self.text.count(" ") + 1


def order_in(segment: str) -> Order | None:
    """Return the order that a segment is, begins with or ends with; None if there is none."""
    words = words_of(segment)
    if re.fullmatch(lex.ABOUT, joined(words[:WINDOW])):
        return Order("summarization")
    if order := _word_asked(segment, words):
        return order
    lead = _lead(words)
    first = sum(item.words for item in lead)
    tail = _tail(words[first:])
    last = len(words) - sum(item.words for item in tail)
    middle = joined(words[first:last][:WINDOW])
    items = [*lead, *tail]
    if _REFERS.fullmatch(middle):
        items, middle = [*items, Item("reference", middle)], ""
    verb, into = _first(items, *VERBS), _first(items, "into")
    if verb and not into and (language := language_named(middle)):  # "translate, please: English"
        items, middle, into = [*items, Item("into", middle, language)], "", Item("into", middle, language)
    task = VERBS[verb.kind] if verb else "translation" if into else "summarization"
    leads = verb is None or verb in lead
    if not words or not _is_order(segment, items, middle, leads):
        return None
    start = words[first - 1].end if first else 0
    end = words[last].start if last < len(words) else len(segment)
    return Order(
        task=task,
        language=into.language if into else "",
        shape=shape_of(" ".join(item.text for item in items if item.kind == "shape")),
        rest=segment[start:end].strip(" \t\n,;:–—-") if middle else "",
        about=_about([item.text for item in items if item.kind == "reference"]),
        leads=leads,
    )


def _word_asked(segment: str, words: Sequence[Word]) -> Order | None:
    """Return the order in "German for butterfly?"."""
    match = re.fullmatch(rf"(?:(?:{lex.ASK}) )?(?:the )?(\w+) (?:word )?for (?:\w+ ){{0,2}}\w+", joined(words[:ASKED]))
    language = language_named(match[1]) if match and segment.rstrip().endswith("?") else ""
    place = next((word.end for word in words if word.text == "for"), 0)
    return Order("translation", language, rest=segment[place:].strip(" \t?")) if language else None


def _is_order(segment: str, items: Sequence[Item], middle: str, leads: bool) -> bool:
    """Return whether instruction words give an order, and are not part of a question or a text."""
    first, asking = words_of(segment[:100])[0].text, segment.rstrip().endswith(("?", "？"))
    verb, into = _first(items, *VERBS), _first(items, "into")
    if _first(items, "ask"):
        return into is not None and len(items) > 1 and len(middle.split()) <= ASKED
    if first in lex.HOW or (verb is not None and verb.kind == "render" and into is None):
        return False
    if not middle:
        return _first(items, *VERBS, "into", "shape") is not None
    if verb is None:  # "good morning in German?"
        return items == [into] and asking and first not in lex.ASKING
    return leads or into is not None or _first(items, "request") is not None or bool(_REQUEST.search(middle))


def _about(references: Sequence[str]) -> str:
    if any(map(_REPLY.search, references)):
        return "reply"
    return "text" if any(map(_TEXT.search, references)) else ""


def _lead(words: Sequence[Word]) -> list[Item]:
    """Return the instruction words at the beginning."""
    items: list[Item] = []
    place, kinds = 0, _BEFORE
    while item := _found(joined(words[place:WINDOW]), kinds, _begins):
        items.append(item)
        place += item.words
        if item.kind == "ask":
            break
        if item.kind in VERBS:
            kinds = _AFTER
    return items


def _tail(words: Sequence[Word]) -> list[Item]:
    """Return the instruction words at the end, from the last backwards."""
    items: list[Item] = []
    end = len(words)
    kinds = _END
    while item := _found(joined(words[max(0, end - WINDOW) : end]), kinds, _ends):
        items.append(item)
        if item.kind in VERBS:
            kinds = ("request", *_END, "filler")
        end -= item.words
    return items


def _begins(pattern: str, text: str) -> str:
    match = re.match(rf"(?:{pattern})(?= |$)", text)
    return match[0] if match else ""


def _ends(pattern: str, text: str) -> str:
    match = re.search(rf"(?:^| )({pattern})$", text)
    return match[1] if match else ""


def _found(text: str, kinds: Iterable[str], where: Callable[[str, str], str]) -> Item | None:
    """Return the first kind of instruction words that ``text`` begins or ends with."""
    for kind in kinds if text else ():
        if kind == "into":
            for count in (r" \w+ \w+", r" \w+"):
                found = where(f"(?:{lex.INTO}){count}", text)
                if found and (language := language_named(re.sub(f"^(?:{lex.INTO}) ", "", found))):
                    return Item(kind, found, language)
            found = where(_TRANSLATION, text)  # "German translation", "English to German"
            if found and (language := language_named(found.split()[-1])) and language_named(found.split()[0]):
                return Item(kind, found, language)
        elif found := where(_PATTERNS[kind], text):
            return Item(kind, found)
    return None


def _first(items: Iterable[Item], *kinds: str) -> Item | None:
    return next((item for item in items if item.kind in kinds), None)


@cache
def language_named(name: str) -> str:
    """Return the code of a language as nlptasks knows it by name, endings and umlauts aside; "" if it is none."""
    if name in lex.CODES:
        return name
    if (name.isascii() and len(name) < LEAST_NAME) or name in lex.FUNCTION:
        return ""
    for spelling in (name, re.sub("e[nrs]?$", "", name), name.replace("oe", "ö").replace("ae", "ä").replace("ue", "ü")):
        with suppress(UnknownNameError):
            return language_code(spelling)
    return ""


def language_in(said: str) -> str:
    """Return the code of the first language that joined words say to translate into; "" if none."""
    for match in re.finditer(rf"\b(?:{lex.INTO}) (\w+)", said):
        if language := language_named(match[1]):
            return language
    return ""


def shape_of(said: str) -> dict[str, str]:
    """Return the fields of a summary's request for "two sentences", "50 words", "bullet points" ..."""
    shape = {}
    for name, unit in (("max_sentences", f"{lex.SENTENCES}|{lex.BULLETS}"), ("max_words", lex.WORDS)):
        if match := re.search(rf"\b(\d+|{_COUNT}) (?:(?:{lex.SHAPED}) )*(?:{unit})\b", said):
            shape[name] = str(lex.NUMBERS.get(match[1], match[1]))
    for style, names in (("bullets", lex.BULLETS), ("headline", lex.HEADLINE)):
        if re.search(rf"\b(?:{names})\b", said):
            shape["style"] = style
    return shape
