"""From what a model wrote to its answer and to the sentence of the documents that supports it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nlptasks.text import words
from nlptasks_question_answering.passages import Context, Passage

NO_ANSWER = "unanswerable"
"""What a model is asked to write when the documents do not hold the answer."""

ALIKE = 90
"""How alike (0-100) a quotation and a stretch of text must be for it to count as quoted."""

_OPENING, _CLOSING = "\"'“„‚‘«»「『`*", "\"'”“’‘»«」』`*"
_SPACE = r"[\s*_]*"
_LINE = r"^[^\w\n]*"
_LABEL = rf"(?:sources?|quellen?|来源|來源|出处|出處){_SPACE}[:：][*_]*"
_INLINE = rf"(?<![\w-]){_LABEL}(?=\s*(?:[\[【{_OPENING}]|passage\s*\d))"
_ANSWER = re.compile(rf"{_LINE}(?:answer|antwort|答案|回答){_SPACE}[:：][*_]*(.*)", re.I | re.M | re.S)
_SOURCE = re.compile(rf"(?:{_LINE}{_LABEL}|{_INLINE})(.*)", re.I | re.M | re.S)
_NEXT = re.compile(rf"(?<=\n){_LINE}(?:question|frage|问题|問題){_SPACE}[:：]", re.I | re.M)
_NUMBER = re.compile(r"[\[【]?(?:passage\s*)?(\d+)[\]】]?[\s:：.,-]*", re.I)
_MARK = re.compile(r"(?:\s?[\[【]\d+[\]】])+[.。]?$")
_END_OF_CITATION = re.compile(r"\n\s*\n|(?<=\S)\s*(?=[\[【]\d)")
_NOTHING = re.compile(
    rf"\W*(?:the question is )?{NO_ANSWER}\b.*"
    r"|\W*(?:no answer|not answerable|keine antwort|nicht beantwortbar|(?:无法|無法)回答|(?:没有|沒有|无|無)答案)\W*",
    re.I | re.S,
)
_ELLIPSIS = re.compile(r"\[?(?:\.{3}|…)\]?")
_LETTER = r"[^\W\u0e00-\U0010ffff]"  # of the scripts that put spaces between words
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Claim:
    """What a model says: its answer ("" for none), the number of a passage (from 1) and a quotation from it."""

    answer: str
    number: int | None = None
    quote: str = ""


def read(text: str) -> Claim:
    """Read ``Answer: ... Source: [2] "..."``, or as much of that form as the model kept to."""
    labelled = _ANSWER.search(text)
    body = _NEXT.split(labelled[1] if labelled else text)[0]  # a small model may go on to ask itself more
    source = _SOURCE.search(body)
    answer = (body[: source.start()] if source else body).strip()
    mark = _MARK.search(answer)
    answer = _bare(_MARK.sub("", answer))
    if _NOTHING.fullmatch(answer):
        return Claim("")
    cited = _END_OF_CITATION.split(source[1].strip())[0] if source else mark[0].strip() if mark else ""
    number = _NUMBER.match(cited)
    quote = cited[number.end() :] if number else cited
    return Claim(answer, int(number[1]) if number else None, quote.strip(_OPENING + _CLOSING + " \n"))


def _bare(text: str) -> str:
    """Return ``text`` without outer white space, emphasis, and quotation marks around all of it."""
    text = text.strip().strip("*").strip()
    inner = text[1:-1]
    quoted = text[:1] in _OPENING and text[-1:] in _CLOSING and inner and not {text[0], text[-1]} & set(inner)
    return inner.strip() if quoted else text


def support(claim: Claim, context: Context, question: str) -> Passage | None:
    """Return the sentence that holds the claim's quotation, else its answer; None if the passages hold neither.

    Of several, it is in the cited passage if one is, and there the one that shares most words with the question.
    """
    passages: Sequence[Passage] = context.passages
    if claim.number and claim.number <= len(passages):
        cited = passages[claim.number - 1]
        passages = [cited, *(passage for passage in passages if passage is not cited)]
    quote = max(_ELLIPSIS.split(claim.quote), key=len)
    asked = set(words(question))
    for wanted in filter(_telling, (quote, claim.answer)):
        for passage in passages:
            if found := list(_sentences_with(wanted, passage)):
                return max(found, key=lambda sentence: len(asked & set(words(sentence.text))))
        if alike := list(_sentences_like(wanted, passages)):
            return max(alike, key=lambda pair: pair[0])[1]
    return None


def _telling(text: str) -> bool:
    """Return whether finding ``text`` shows anything: "no" or "是" stands everywhere."""
    return len(text.encode("utf-8", "replace")) > 3 or any(map(str.isdigit, text))


def _sentences_with(text: str, passage: Passage) -> Iterator[Passage]:
    """Yield where ``text`` stands as whole words, whatever its case and white space."""
    spaced = r"\s+".join(map(re.escape, text.split()))
    for match in re.finditer(rf"(?<!{_LETTER}){spaced}(?!{_LETTER})", passage.text, re.I):
        yield passage.sentences(*match.span())


def _sentences_like(text: str, passages: Sequence[Passage]) -> Iterator[tuple[float, Passage]]:
    """Yield where something very like ``text``, with all its numbers, stands, and how like it is."""
    from rapidfuzz.fuzz import partial_ratio_alignment

    for passage in passages:
        found = partial_ratio_alignment(text, passage.text, score_cutoff=ALIKE)
        if found and len(text) <= len(passage.text):
            sentence = passage.sentences(found.dest_start, found.dest_end)
            if set(_DIGITS.findall(text)) <= set(_DIGITS.findall(sentence.text)):
                yield found.score, sentence
