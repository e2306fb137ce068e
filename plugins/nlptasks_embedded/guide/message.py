"""What one message holds: an order, a question, a text to work on.

The user's own instruction stands first, or else last: what stands within the text is never read as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from nlptasks.text import sentence_spans
from nlptasks_embedded.guide import lexicon as lex
from nlptasks_embedded.guide.loose import loose_order
from nlptasks_embedded.guide.orders import Order, order_in
from nlptasks_embedded.guide.orders_zh import order_in_chinese
from nlptasks_embedded.guide.small_talk import without_greeting
from nlptasks_embedded.guide.speech import simplified, size, words_of

HEAD = 300  # bytes of an instruction before a colon or a line's end
EXTRA = 8  # words that an instruction may hold beside instruction words
PASSAGE = 60  # bytes: less is hardly a text that a question is about
PASTE = 240  # bytes: so much, without order or question, was pasted
SEVERAL = 3  # sentences or lines that may have been pasted, too
_HAN = re.compile("[\u3400-\u9fff]")
_COLON = re.compile(r":(?=\s|$|[\"'“„«`「]|[^\x00-\u2fff])|：|(?<=\w):(?=[^\W\d]{2})(?!//)")
_QUOTES = ('"', '"'), ("“", "”"), ("„", "“"), ("„", "”"), ("«", "»"), ("»", "«"), ("「", "」"), ("`", "`"), ("'", "'")
_CLAUSE = re.compile(r"[,;，；]\s*|\s[-–—]+\s")
_LABEL = re.compile(
    r"(?:\b(?:text|context|article|document|passage|kontext|artikel|dokument|abschnitt)\b[\s\w]{0,20}|"
    r"(?:[一-鿿]{0,8}(?:文字|文章|文本|内容|原文|材料|一段话|短文)))\W*",
    re.IGNORECASE,
)
_ASKS = re.compile(r"(?:question|frage|q|问题|问)\s*[:：]\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Said:
    """A message taken apart; ``own`` are the user's own words, as far as they can be told from a text."""

    own: str
    order: Order | None = None
    question: str = ""
    text: str = ""


@lru_cache(maxsize=64)
def understand(message: str) -> Said:
    """Take a message apart."""
    message = without_greeting(message.strip())
    for reading in (_framed, _after_colon, _ordered, _led, _meant, _asked):
        if said := reading(message):
            return said
    if order := order_of(message) or _instruction(message):
        return _with_rest(order, message)
    if is_question(message) and size(message) <= HEAD:
        return Said(message, question=_question(message))
    return Said("", text=message) if _is_paste(message) else Said(message)


def order_of(segment: str) -> Order | None:
    """Return the order in a segment, in whichever language."""
    chinese = order_in_chinese(segment) if _HAN.search(segment) else None
    return chinese or order_in(segment)


def is_question(segment: str) -> bool:
    """Return whether a segment asks something."""
    segment = segment.strip()
    if segment.endswith(("?", "？")) or (_HAN.search(segment) and re.search(lex.ASKING_ZH, simplified(segment))):
        return True
    words = [word.text for word in words_of(_question(segment[:HEAD])) if word.text not in lex.OPENING]
    first, second = (*words, "", "")[:2]
    return first in lex.ASKING or (first in lex.LEADING and second in lex.HOW)


def _question(segment: str) -> str:
    """Return a question without what introduces it: "Question:", "According to the text," ..."""
    return re.sub(rf"^(?:{lex.PREAMBLE})", "", _ASKS.sub("", segment.strip(), count=1), flags=re.IGNORECASE)


def _instruction(segment: str) -> Order | None:
    """Return the order that a segment of its own, or its last clause, is: hardly anything else beside it."""
    if not 0 < size(segment) <= HEAD:
        return None
    whole, last = order_of(segment), order_of(_CLAUSE.split(segment)[-1])
    order = last if last and not last.rest else whole
    return order if order and size(order.rest) <= 6 * EXTRA else None


def _with_rest(order: Order, message: str) -> Said:
    """Read an order with its text in one sentence: "translate good morning into German"."""
    text = _unquoted(order.rest)
    if order.task == "summarization":
        text = re.sub(rf"^(?:{lex.PRONOUN})\s(?:(?:{lex.SOFT})\s)*", "", text, flags=re.IGNORECASE)
    own = message.replace(order.rest, " ") if order.rest else message
    if order.task == "summarization" and size(text) < PASSAGE:
        return Said(own, replace(order, shape={**order.shape, **({"query": text} if text else {})}))
    return Said(own, replace(order, rest=""), text=text)


def _framed(message: str) -> Said | None:
    """Read a text in a code fence or in quotes, with the order or question before or behind it."""
    for before, text, behind in _frames(message):
        outside = f"{before} {behind}".strip(" :：,，\n")
        if not text.strip() or size(outside) > HEAD:
            continue
        order = order_of(outside) or order_of(before) or order_of(behind)
        if order and size(order.rest) <= 3 * EXTRA:
            return Said(outside, order, text=text.strip())
        if is_question(outside) and size(text) >= PASSAGE:
            return Said(outside, question=outside, text=text.strip())
    return None


def _frames(message: str) -> Iterator[tuple[str, str, str]]:
    for fence in ("```", "~~~"):
        before, opened, fenced = message.partition(fence)
        inside, closed, behind = fenced.partition("\n")[2].rpartition(fence)
        if opened and closed:
            yield before, inside, behind
    for opening, closing in _QUOTES:
        start, end = message.find(opening), message.rfind(closing)
        if 0 <= start < end and size(message[:start]) <= HEAD:
            yield message[:start], message[start + 1 : end], message[end + 1 :]


def _after_colon(message: str) -> Said | None:
    """Read "summarize this: ..." and "Text: ..."."""
    colon = _COLON.search(message[:HEAD])
    if colon is None or "\n" in message[: colon.start()].strip():
        return None
    head, text = message[: colon.start()], message[colon.end() :].strip()
    if order := _instruction(head) or (loose_order(head) if size(text) >= PASSAGE else None):
        return Said(head, order, text=_unquoted(text))
    if _ASKS.match(message) and (said := understand(_ASKS.sub("", message, count=1))).question:
        return said
    if _is_label(head) and text:
        return _ordered(text) or _asked(text) or Said(head, text=_unquoted(text))
    return None


def _ordered(message: str) -> Said | None:
    """Read an order that is a line or sentence of its own."""
    for own, text in _ends(message):
        order = _instruction(own)
        if order and not order.rest:
            return Said(own, order, text=_unlabelled(text))
    return None


def _led(message: str) -> Said | None:
    """Read a text that goes on where its order, or before it ends: "please summarize The town has ..."."""
    order = order_of(message)
    if order and size(order.rest) >= PASSAGE:
        return _with_rest(order, message)
    return None


def _meant(message: str) -> Said | None:
    """Read an order, in whatever words, in a first line above a text."""
    own, _, text = message.partition("\n")
    order = loose_order(own) if size(own) <= HEAD and size(text) >= PASSAGE else None
    return Said(own, order, text=_unlabelled(text.strip())) if order else None


def _asked(message: str) -> Said | None:
    """Read a question that is a line or sentence of its own beside a text."""
    for own, text in _ends(message):
        if size(own) <= HEAD and is_question(own) and size(text) >= PASSAGE:
            return Said(own, question=_question(own), text=_unlabelled(text))
    return None


def _ends(message: str) -> Iterator[tuple[str, str]]:
    """Yield the first and the last line, or else sentence, each with the rest of the message."""
    lines = message.splitlines(keepends=True)
    if len(lines) > 1:
        yield lines[0].strip(), "".join(lines[1:]).strip()
        yield lines[-1].strip(), "".join(lines[:-1]).strip()
    elif len(spans := sentence_spans(message)) > 1:
        (_, end), (start, _) = spans[0], spans[-1]
        yield message[:end], message[end:].strip()
        yield message[start:], message[:start].strip()


def _unlabelled(text: str) -> str:
    colon = _COLON.search(text[:HEAD])
    inner = text[colon.end() :].strip() if colon and _is_label(text[: colon.start()]) else text
    return _unquoted(inner)


def _is_label(head: str) -> bool:
    return size(head) <= PASSAGE and bool(_LABEL.search(simplified(head)))


def _unquoted(text: str) -> str:
    for opening, closing in (("```", "```"), *_QUOTES):
        inner = text.removeprefix(opening).removesuffix(closing)
        if len(text) - len(inner) == len(opening) + len(closing) and opening not in inner:
            return inner.strip()
    return text


def _is_paste(message: str) -> bool:
    if makes(message) or size(message) < PASSAGE:
        return False
    words = words_of(message[:HEAD])
    personal = bool(words) and (words[0].text in lex.MYSELF or simplified(message)[:1] in lex.MYSELF)
    several = message.count("\n") >= SEVERAL or len(sentence_spans(message[: 4 * PASTE])) >= SEVERAL
    return size(message) >= PASTE or (several and not personal)


def makes(message: str) -> bool:
    """Return whether a message asks for something to be written, drawn or worked out."""
    verbs = [word.text for word in words_of(message[:HEAD])[:6] if word.text not in lex.FUNCTION - lex.MAKING]
    chinese = re.match(rf"\W*(?:请|帮我|给我|你?能)*(?:{lex.MAKING_ZH})", simplified(message[:HEAD]))
    return bool(verbs and verbs[0] in lex.MAKING) or chinese is not None
