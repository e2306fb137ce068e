"""Orders in whatever words: "My teacher wants a summary of this: ...".

Where an instruction is set apart from a text, by a colon or a line of its own, it is enough that it names
what is to be done and the text that it is about.
"""

from __future__ import annotations

import re

from nlptasks_embedded.guide import lexicon as lex
from nlptasks_embedded.guide import orders_zh
from nlptasks_embedded.guide.orders import WINDOW, Order, language_in, shape_of
from nlptasks_embedded.guide.speech import joined, simplified, words_of

_SUMMARIZE = re.compile(rf"\b(?:{lex.SUMMARIZE})\b")
_TRANSLATE = re.compile(rf"\b(?:{lex.TRANSLATE})\b")
_ABOUT = re.compile(rf"\b(?:{lex.PRONOUN}|{lex.REFERENCE})\b")


def loose_order(segment: str) -> Order | None:
    """Return the order that a segment set apart from a text gives; None if it gives none."""
    text = simplified(segment)
    if (verb := orders_zh.VERB.search(text)) and orders_zh.REFERENCE.search(text) and not re.search(lex.HOW_ZH, text):
        return Order("summarization" if verb["summarize"] else "translation")
    words = words_of(segment)
    said = joined(words[:WINDOW])
    if not words or words[0].text in lex.HOW or not _ABOUT.search(said):
        return None
    if _SUMMARIZE.search(said):
        return Order("summarization", shape=shape_of(said))
    return Order("translation", language_in(said)) if _TRANSLATE.search(said) else None
