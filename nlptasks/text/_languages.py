"""Which language a text is in, and what languages are called."""

from __future__ import annotations

import math
from collections import Counter
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from nlptasks.errors import UnknownNameError

if TYPE_CHECKING:
    import regex
    from langcodes import Language

_ONE_LANGUAGE = {
    "Han": "zh", "Hiragana": "ja", "Katakana": "ja", "Hangul": "ko", "Thai": "th", "Greek": "el",
    "Hebrew": "he", "Armenian": "hy", "Georgian": "ka", "Gurmukhi": "pa", "Gujarati": "gu", "Oriya": "or",
    "Tamil": "ta", "Telugu": "te", "Kannada": "kn", "Malayalam": "ml", "Sinhala": "si", "Lao": "lo",
    "Khmer": "km", "Myanmar": "my", "Tibetan": "bo", "Ethiopic": "am",
}  # fmt: skip
_SHARED = {
    "Latin": tuple(
        "en de fr es it pt nl pl sv cs id vi tr hu ro da no fi hr sk ca af sq az bs br cy eo et eu fy ga gd gl "
        "ha ht ig is jv ku la lb lt lv mg ms mt nn oc om qu rw sl sn so st sw tk tl uz wa xh yo zu".split()
    ),
    "Cyrillic": ("ru", "uk", "be", "bg", "sr", "mk", "kk", "ky", "mn", "tg", "tt", "ba"),
    "Arabic": ("ar", "fa", "ur", "ps", "ug"),
    "Devanagari": ("hi", "mr", "ne", "sa"),
    "Bengali": ("bn", "as"),
}
_DENSE = {"Han", "Hiragana", "Katakana", "Hangul"}  # a character says as much as three letters
_PRIOR = 2.0  # each list above is in order of use; a word or two is little evidence for what comes late in it
_SAMPLE = 3000  # characters that detection reads; more does not change its mind
_UNNAMED = ("Unknown language", "Multiple languages")  # langcodes' names for what is no one language
_ALIASES = {"汉语": "zh", "漢語": "zh", "普通话": "zh", "cmn": "zh", "arb": "ar"}  # what CLDR has no short form of


def script(text: str) -> str:
    """Return the Unicode script most letters of ``text`` belong to ("Latin", "Han" ...), "" without letters.

    Japanese is found by its kana, however many Han characters are among them. Reads a bounded sample.
    """
    sample = _sample(text)
    counts = Counter[str]()
    for name, pattern in _patterns().items():
        counts[name] = len(pattern.findall(sample)) * (3 if name in _DENSE else 1)
    kana = counts["Hiragana"] + counts["Katakana"]
    if kana * 10 > counts["Han"]:  # Chinese quotes a kana now and then; Japanese cannot do without
        counts["Hiragana"] += counts.pop("Katakana") + counts.pop("Han")
    [(name, count)] = counts.most_common(1)
    return name if count else ""


def detect_language(text: str) -> str:
    """Return the BCP-47 primary code of the language of ``text``, "und" if it has no letters.

    The script decides where it can, py3langid elsewhere. Reads a bounded sample of a long text.
    """
    name = script(text)
    if not name:
        return "und"
    if name in _ONE_LANGUAGE:
        return _ONE_LANGUAGE[name]
    from py3langid import rank

    scores = dict(rank(_sample(text).encode("utf-8", "replace").decode()))
    candidates = enumerate(_SHARED[name], start=1)
    return max(candidates, key=lambda each: scores[each[1]] - _PRIOR * math.log(each[0]))[1]


@lru_cache(maxsize=1024)
def language_name(code: str) -> str:
    """Return the English name of a language: "German" for "de", "Chinese (Traditional)" for "zh-Hant".

    Raises UnknownNameError.
    """
    from langcodes import Language

    return Language.get(language_code(code)).display_name()


@lru_cache(maxsize=1024)
def language_code(name: str) -> str:
    """Return the canonical BCP-47 code for a code or for a name in any language CLDR knows.

    "German", "Deutsch", "德语", "deu", "de_DE" and "de-DE" give "de"; a script or region stays where it
    says something: "zh-TW" gives "zh-Hant", "pt-BR" stays. Raises UnknownNameError.
    """
    from langcodes import Language, find
    from langcodes.tag_parser import LanguageTagError

    wanted = name.strip().partition(".")[0]  # a locale may end in its encoding: de_DE.UTF-8
    wanted = _ALIASES.get(wanted.lower(), wanted).encode("utf-8", "replace").decode()
    wanted = wanted.replace("\0", "?")  # looking one up would read beyond the table of names
    try:
        language = Language.get(wanted)
        if language.is_valid() and not language.display_name().startswith(_UNNAMED):
            return _canonical(language)
    except LanguageTagError:
        pass  # no code: a name, then
    try:
        return _canonical(Language.get(find(wanted).to_tag()))
    except LookupError:
        raise UnknownNameError("language", name, _names(), "Give a code such as de, or an English name.") from None


def _canonical(language: Language) -> str:
    from langcodes import Language

    code = _ALIASES.get(language.language or "", language.language)
    usual, meant = Language.make(code).maximize(), language.maximize()
    script = meant.script if meant.script != usual.script else None
    region = language.territory
    # Brazil is where most Portuguese is written, but "pt" alone is not heard as Brazilian
    if code != "pt" and region == Language.make(code, script=script).maximize().territory:
        region = None
    return Language.make(code, script=script, territory=region).to_tag()


def _names() -> list[str]:
    """Return the names nearest-name suggestions are drawn from."""
    from langcodes import Language
    from langcodes.language_lists import CLDR_LANGUAGES

    languages = [Language.get(code) for code in CLDR_LANGUAGES if code != "und"]
    return sorted({text for each in languages for text in (each.display_name(), each.display_name("de"))})


def _sample(text: str) -> str:
    if len(text) <= _SAMPLE:
        return text
    middle, third = len(text) // 2, _SAMPLE // 3
    return "\n".join((text[:third], text[middle : middle + third], text[-third:]))


@cache
def _patterns() -> dict[str, regex.Pattern[str]]:
    import regex

    return {name: regex.compile(rf"\p{{Script={name}}}") for name in (*_ONE_LANGUAGE, *_SHARED)}
