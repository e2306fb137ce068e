"""Languages, sentences and words of every script, without a download.

Rules over Unicode's own classes rather than models: linear in the length of the text, exact about
offsets, the same on every machine. Shared by metrics, retrieval, chunking and extraction.
"""

from nlptasks.text._fit import split_to_fit
from nlptasks.text._languages import detect_language, language_code, language_name, script
from nlptasks.text._sentences import Span, sentence_spans, sentences
from nlptasks.text._words import is_unspaced, words

__all__ = [
    "Span",
    "detect_language",
    "is_unspaced",
    "language_code",
    "language_name",
    "script",
    "sentence_spans",
    "sentences",
    "split_to_fit",
    "words",
]
