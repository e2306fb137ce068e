"""What is asked of a model, and what it showed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from nlptasks.explain.attention import Part
from nlptasks.explain.tokens import Token, Word, group_words

LONGEST = 256
"""Most tokens of a text: more are no picture that anyone could read."""


@dataclass(frozen=True)
class Subject:
    """The text to look at, and what some families need beside it.

    ``chat`` puts the text into the model's chat template; without it the bare text is read. ``question`` is for
    extractive models, for which the text is the context. ``target`` is what an encoder-decoder is taken to write
    (None to let it write), in the language ``target_lang``, from ``source_lang`` (BCP-47).
    """

    text: str
    chat: bool = False
    question: str | None = None
    target: str | None = None
    source_lang: str | None = None
    target_lang: str | None = None


@dataclass(frozen=True)
class Spans:
    """How probable each token is as the beginning and the end of the answer (0-1), and the best answer.

    The probability of an answer is the product of both; ``no_answer`` is that of there being none.
    """

    starts: tuple[float, ...]
    ends: tuple[float, ...]
    answer: str
    score: float
    no_answer: float


@dataclass(frozen=True)
class Link:
    """A word written, the source word that it drew on most, and the share of its attention that this got (0-1)."""

    target: str
    source: str
    weight: float


@dataclass(frozen=True)
class Explanation:
    """What a model showed of itself. ``parts`` begin with the one of most interest; ``text`` is what it read."""

    model: str
    architecture: str
    family: str
    text: str
    parts: tuple[Part, ...]
    spans: Spans | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def links(part: Part, weights: Any) -> Iterator[Link]:
    """Yield for each word of the rows the word of the columns that ``weights`` tie it to most.

    A word gets the sum of what its tokens get, and gives the mean of what its tokens give; attention to control
    tokens and punctuation counts to no word.
    """
    sources = list(_words(part.keys))
    if not sources:
        return
    for target in _words(part.queries):
        share = weights[target.first : target.end].mean(axis=0)
        best = max(sources, key=lambda word: _sum(share, word))
        yield Link(target.text, best.text, _sum(share, best))


def _words(tokens: Sequence[Token]) -> Iterator[Word]:
    from nlptasks.text import words

    return (word for word in group_words(tokens) if words(word.text))


def _sum(share: Any, word: Word) -> float:
    return float(share[word.first : word.end].sum())
