"""Which language pairs the published test sets have: names alone, so that listing them costs nothing."""

from __future__ import annotations

from collections.abc import Iterator

WITH_ENGLISH = {
    "wmt14": "cs de fr hi ru",
    "wmt15": "cs de fi fr ru",
    "wmt16": "cs de fi ro ru tr",
    "wmt17": "cs de fi lv ru tr zh",
    "wmt18": "cs de et fi ru tr zh",
    "wmt19": "de fi gu kk lt ru zh",
    "wmt20": "cs de iu ja km pl ps ru ta zh",
    "wmt21": "cs de ha is ja ru zh",
    "wmt22": "cs de ja ru uk zh",
    "wmt23": "de he ja ru uk zh",
    "flores_plus": "ar de es fr hi ja ko ru th zh",
    "multi30k": "de",
    "opus100": "ar de es fr hi ja ko ru th zh",
}
"""The languages that are translated from and into English; for wmt in the news task, from 2022 the general one."""

OTHERS = {
    "wmt19": "en-cs de-fr fr-de",
    "wmt23": "en-cs cs-uk",
    "wmt24": "en-cs en-de en-es en-hi en-is en-ja en-ru en-uk en-zh",
    "flores_plus": "de-zh zh-de",
}
"""Further pairs."""


def pairs() -> Iterator[tuple[str, str, str]]:
    """Yield (test set, source language, target language) for every benchmark."""
    for name in sorted({*WITH_ENGLISH, *OTHERS}):
        for lang in WITH_ENGLISH.get(name, "").split():
            yield name, lang, "en"
            yield name, "en", lang
        for pair in OTHERS.get(name, "").split():
            source, _, target = pair.partition("-")
            yield name, source, target


def benchmark_name(name: str, source: str, target: str) -> str:
    """Return what a benchmark is called: ``wmt14.de-en``."""
    return f"{name}.{source}-{target}"


def attribute(name: str, source: str, target: str) -> str:
    """Return where it stands in the module of benchmarks: ``wmt14_de_en``."""
    return f"{name}_{source}_{target}"
