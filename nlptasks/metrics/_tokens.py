"""What ROUGE counts: the words of each language, stemmed where the field does so."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from functools import cache, lru_cache, partial

import regex
from nltk.stem.cistem import Cistem
from nltk.stem.porter import PorterStemmer
from rouge_score import tokenize

from nlptasks.errors import MissingExtraError
from nlptasks.text import is_unspaced, words

Tokenize = Callable[[str], list[str]]

TOKENIZERS = ("stock", "words", "char", "jieba", "spaces")
STEMMERS = ("porter", "cistem", "none")


def default_tokenizer(lang: str) -> str:
    """Return how texts in ``lang`` are split, as published figures do.

    English by the stock scorer's own rule; what is written without spaces by grapheme cluster; else by
    word. Korean is spaced, so its unit is the word (eojeol): morphemes would need an analyser.
    """
    if lang == "en":
        return "stock"
    return "char" if is_unspaced(lang) else "words"


def default_stemmer(lang: str) -> str:
    """Return how words of ``lang`` are stemmed."""
    return {"en": "porter", "de": "cistem"}.get(lang, "none")


@cache
def tokenizer(name: str, stemmer: str, lang: str) -> Tokenize:
    """Return the function that splits a text.

    ``stock`` is rouge_score's own: runs of a-z and 0-9, all else a gap. ``words`` are those of
    ``nlptasks.text``. ``char`` is every grapheme cluster that is no white space, punctuation included.
    ``jieba`` finds Chinese words. ``spaces`` takes a text that is tokenized already as it stands.
    As in ROUGE-1.5.5, only words of more than three letters are stemmed.

    Raises:
        MissingExtraError: jieba is not installed.
    """
    stems = _Stemmer(stemmer) if stemmer != "none" else None
    if name == "stock":
        return partial(tokenize.tokenize, stemmer=stems)
    split = _splitter(name, lang)
    if stems is None:
        return split
    stem = stems.stem
    return lambda text: [stem(word) if len(word) > 3 else word for word in split(text)]


def _splitter(name: str, lang: str) -> Tokenize:
    if name == "words":
        return partial(words, lang=lang)
    if name == "spaces":
        return lambda text: text.lower().split()
    if name == "char":
        cluster = regex.compile(r"(?!\s)\X")
        return lambda text: cluster.findall(text.lower())
    cut = _jieba()
    return lambda text: [word for word in cut(text.lower()) if not word.isspace()]


def _jieba() -> Tokenize:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its source has invalid escapes
            import jieba
    except ImportError as error:
        raise MissingExtraError("tokenizer=jieba", "chinese") from error
    jieba.setLogLevel(logging.WARNING)  # it tells stderr how long its dictionary took
    cut: Tokenize = jieba.lcut
    return cut


class _Stemmer:
    """A stemmer that remembers: texts repeat their words.

    Cistem (Weissweiler & Fraser 2017) is applied as published, so it folds umlauts once the word is
    whole: Häuser meets Haus.
    """

    def __init__(self, name: str) -> None:
        slow = PorterStemmer() if name == "porter" else Cistem(case_insensitive=True)
        self.stem = lru_cache(maxsize=200_000)(slow.stem)
