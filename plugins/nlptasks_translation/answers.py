"""What models wrap around a translation."""

from __future__ import annotations

import re

from nlptasks.tasks import unclosable_tag

_PREAMBLE = re.compile(
    r"(?:(?:sure|certainly|of course|okay)[,.!]*\s*)?here(?:['’]s| is) .*translat.*"
    r"|(?:the |my )?(?:\w+ )?translat(?:ion|ed text)(?: (?:in)?to \w+| of the \w+)?"
    r"|hier ist .*übersetzung.*|(?:die )?(?:\w+ )?übersetzung(?: ins \w+| des \w+)?"
    r"|(?:以下是|这是|這是)?(?:\w{0,8}的)?\w{0,4}?(?:译文|譯文|翻译|翻譯)(?:如下|结果|結果)?",
    re.IGNORECASE,
)
_COLON = re.compile("[:：]")
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "„": "“”", "«": "»", "»": "«", "‹": "›", "「": "」", "『": "』"}
_ANY_QUOTE = frozenset("".join((*_QUOTES, *_QUOTES.values())))


def unwrap(answer: str, source: str, language: str) -> str:
    """Return the translation of ``source`` in a model's answer, as one line if ``source`` is one.

    ``language`` is the name of the target language. Takes away only what surely is not of the translation:
    a label before a colon where the source has no colon, the prompt's own tags, and quotation marks around
    all where the source has none at its ends.
    """
    text, tag = answer.strip(), unclosable_tag("text", source)
    if text != source:
        text = _without_label(text, source, language)
        text = text.removeprefix(f"<{tag}>").removesuffix(f"</{tag}>").strip()
        text = _without_quotes(text, source)
    if len(source.splitlines()) > 1:
        return text
    return " ".join(line.strip() for line in text.splitlines() if line.strip())


def _without_label(text: str, source: str, language: str) -> str:
    label, *rest = _COLON.split(text, maxsplit=1)
    if not rest or _COLON.search(source) or not rest[0].strip("*_ \n"):
        return text
    label = label.strip("*_# ")
    if label.casefold() == language.casefold() or (len(label) < 100 and _PREAMBLE.fullmatch(label)):
        return rest[0].strip().removeprefix("**").strip()
    return text


def _without_quotes(text: str, source: str) -> str:
    inner = text[1:-1].strip()
    if not inner or text[-1] not in _QUOTES.get(text[0], ""):
        return text
    ours = {text[0], text[-1]}
    quoted = {source[0], source[-1]} & _ANY_QUOTE
    return text if quoted or ours & set(inner) else inner
