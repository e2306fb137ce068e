"""BCP-47 tags to the codes that a tokenizer itself knows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nlptasks.backends.hf.backend import refuse
from nlptasks.errors import UnknownNameError

SAME = 10
"""Distance (see langcodes) up to which two tags are one written language: de and de-CH, not zh-Hans and zh-Hant."""
KIN = 60
"""Distance up to which a text can be read as the other language: zh-Hant as zh."""

SHOWN = 40
"""How many languages an error lists."""

SPECIAL = re.compile(r"([a-z]{2,3}_[A-Za-z]{2,4})")
"""How NLLB and mBART write a language: ``deu_Latn``, ``de_DE``."""
MARIAN = re.compile(r">>(.+)<<")
"""How Marian writes one: ``>>deu<<``."""


@dataclass(frozen=True)
class Languages:
    """The languages of a tokenizer: its own code to the token that stands for it.

    ``inline`` says that the token is written before the source text (Marian) instead of being forced at
    the beginning of the answer.
    """

    codes: Mapping[str, str]
    inline: bool = False

    @classmethod
    def of(cls, tokenizer: Any) -> Languages:
        """Find the languages among a tokenizer's own tokens."""
        if inline := getattr(tokenizer, "supported_language_codes", None):
            return cls(_codes(inline, MARIAN), inline=True)
        if not hasattr(tokenizer, "src_lang"):
            return cls({})
        if tokens := getattr(tokenizer, "lang_code_to_token", None):  # M2M100
            return cls(tokens)
        return cls(_codes(tokenizer.get_added_vocab(), SPECIAL))

    def find(self, tag: str, distance: int) -> str:
        """Return the code for a BCP-47 tag. Raises SampleError if the model has no such language."""
        code = nearest(tag, self.codes, distance)
        if code is None:
            more = f" and {len(self.codes) - SHOWN} more" if len(self.codes) > SHOWN else ""
            known = ", ".join(sorted(self.codes)[:SHOWN]) + more
            raise refuse("bad_request", f"The model has no language {tag!r}; it has {known}.")
        return code


def nearest(tag: str, codes: Iterable[str], distance: int) -> str | None:
    """Return the code that means the language ``tag``, or None. Raises SampleError for no tag at all."""
    from langcodes import closest_match
    from langcodes.tag_parser import LanguageTagError

    try:
        code, far = closest_match(tag, list(codes), max_distance=distance)
    except LanguageTagError:
        raise refuse("bad_request", f"{tag!r} is no language tag: write it as BCP-47, such as de or zh-Hans.") from None
    return None if code == "und" or far > distance else code


def english_name(tag: str) -> str:
    """Return a language's English name without its region, as prompts use it. Raises SampleError for no language."""
    from nlptasks.text import language_name

    try:
        return language_name(tag.replace("_", "-").partition("-")[0])
    except UnknownNameError as error:
        raise refuse("bad_request", str(error)) from None


def _codes(tokens: Iterable[str], form: re.Pattern[str]) -> dict[str, str]:
    from langcodes import tag_is_valid

    found = {match[1]: token for token in tokens if (match := form.fullmatch(token))}
    return {code: token for code, token in found.items() if tag_is_valid(code)}
