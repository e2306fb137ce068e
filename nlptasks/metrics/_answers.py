"""When two answers are the same, and how much they share: the published rules for each language."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache, partial

import regex

from nlptasks.metrics._shared import one_of
from nlptasks.text import sentences, words

RULES = ("squad", "mlqa", "cmrc", "words")

_ARTICLES = {
    "en": r"\b(?:a|an|the)\b",
    "de": r"\b(?:ein|eine[nmsr]?|der|die|das|de[nms])\b",
    "es": r"\b(?:un|una|unos|unas|el|la|los|las)\b",
    "vi": r"\b(?:của|là|cái|chiếc|những)\b",
    "ar": r"ال",
}
_MLQA = {*_ARTICLES, "hi", "zh"}
_PUNCTUATION = regex.compile(rf"[\p{{P}}{re.escape(string.punctuation)}]+")
_HAN = re.compile(r"([\u4e00-\u9fa5])")  # the range that MLQA and CMRC name
_CMRC_PUNCTUATION = "-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』"


@dataclass(frozen=True)
class Rules:
    """How answers are compared."""

    name: str
    normalize: Callable[[str], str]
    """Two answers are the same if this makes them equal."""
    tokens: Callable[[str], list[str]]
    shared: Callable[[list[str], list[str]], int]
    """How many tokens two answers have in common."""

    def exact(self, prediction: str, reference: str) -> float:
        """Return 1 if the answers are the same, else 0."""
        return float(self.normalize(prediction) == self.normalize(reference))

    def f1(self, prediction: str, reference: str) -> float:
        """Return the F-measure (0-1) of the tokens in common, 0 where there are none."""
        predicted, expected = self.tokens(prediction), self.tokens(reference)
        hits = self.shared(predicted, expected)
        if not hits:
            return 0.0
        precision, recall = hits / len(predicted), hits / len(expected)
        return 2 * precision * recall / (precision + recall)


def default_rules(lang: str) -> str:
    """Return the rules that results in ``lang`` are quoted with."""
    if lang in ("en", "zh"):
        return {"en": "squad", "zh": "cmrc"}[lang]
    return "mlqa" if lang in _MLQA else "words"


@cache
def rules(name: str, lang: str) -> Rules:
    """Return the rules of that name, for answers in ``lang``.

    - ``squad``: lower case, no ASCII punctuation, no English articles, tokens by white space (Rajpurkar et al. 2016).
    - ``mlqa``: all of Unicode's punctuation, the language's articles, Chinese by character (Lewis et al. 2020).
    - ``cmrc``: Chinese by character; what counts is the longest run in common (Cui et al. 2019).
    - ``words``: the words of ``nlptasks.text``, which are characters in Japanese or Thai.

    Raises:
        UnknownNameError: there are no such rules.
    """
    if one_of("rules", name, RULES) == "cmrc":
        return Rules(name, _cmrc_normalize, _cmrc_tokens, _longest_run)
    if name == "words":
        split = partial(words, lang=lang)
        return Rules(name, lambda text: " ".join(split(text)), split, _common)
    normalize = _squad_normalize if name == "squad" else partial(_mlqa_normalize, lang=lang)
    return Rules(name, normalize, lambda text: normalize(text).split(), _common)


_NO_ASCII_PUNCTUATION = str.maketrans("", "", string.punctuation)


def _squad_normalize(text: str) -> str:
    bare = text.lower().translate(_NO_ASCII_PUNCTUATION)
    return " ".join(re.sub(_ARTICLES["en"], " ", bare).split())


def _mlqa_normalize(text: str, lang: str) -> str:
    bare = _PUNCTUATION.sub("", text.lower())
    if lang in _ARTICLES:
        bare = re.sub(_ARTICLES[lang], " ", bare)
    return " ".join((_HAN.sub(r" \1 ", bare) if lang == "zh" else bare).split())


def _common(a: list[str], b: list[str]) -> int:
    return (Counter(a) & Counter(b)).total()


_NO_CMRC_PUNCTUATION = str.maketrans("", "", _CMRC_PUNCTUATION)


def _cmrc_normalize(text: str) -> str:
    return text.lower().strip().translate(_NO_CMRC_PUNCTUATION)


def _cmrc_tokens(text: str) -> list[str]:
    from nltk.tokenize import NLTKWordTokenizer

    tokens: list[str] = []
    for piece in _HAN.split(_cmrc_normalize(text)):
        if _HAN.fullmatch(piece):
            tokens.append(piece)
        else:  # word_tokenize, with our sentences: its own need a download
            for sentence in sentences(piece, "en"):
                tokens += NLTKWordTokenizer().tokenize(sentence)
    return tokens


def _longest_run(a: list[str], b: list[str]) -> int:
    return SequenceMatcher(None, a, b, autojunk=False).find_longest_match().size
