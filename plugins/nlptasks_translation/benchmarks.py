"""Published test sets of translation, a benchmark for each direction: ``wmt14_de_en``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nlptasks.benchmarks import Benchmark
from nlptasks_translation.pairs import attribute, benchmark_name, pairs

WMT22_ON_THE_HUB = ("cs", "de", "ru", "zh")
"""Its languages with English there; the test sets of 2019 to 2021 are not on the Hub at all."""
REGIONS = {"cs": "CZ", "de": "DE", "es": "MX", "hi": "IN", "is": "IS", "ja": "JP", "ru": "RU", "uk": "UA", "zh": "CN"}
FLORES_CODES = {
    "ar": "arb_Arab", "de": "deu_Latn", "en": "eng_Latn", "es": "spa_Latn", "fr": "fra_Latn", "hi": "hin_Deva",
    "ja": "jpn_Jpan", "ko": "kor_Hang", "ru": "rus_Cyrl", "th": "tha_Thai", "zh": "cmn_Hans",
}  # fmt: skip


def _wmt(name: str, source: str, target: str) -> dict[str, Any]:
    """A year's news test set, under ``translation`` as the Hub has it."""
    year = int(name.removeprefix("wmt"))
    other = source if target == "en" else target
    facts: dict[str, Any] = {
        "columns": {"source": f"translation.{source}", "target": f"translation.{target}"},
        "licence": "free for research (statmt.org); rights in the news texts are their publishers'",
        "citation": f"Findings of the 20{year} Conference on Machine Translation (WMT{year})",
        "url": f"https://www2.statmt.org/wmt{year}/",
    }
    if year < 19:
        return {**facts, "dataset": f"wmt/{name}", "config": f"{other}-en"}
    if year == 23 or (year == 22 and other in WMT22_ON_THE_HUB):
        pair = f"{source}-{target}"
        columns = {"source": f"{pair}.{source}", "target": f"{pair}.{target}"}
        return {**facts, "dataset": f"haoranxu/WMT{year}-Test", "config": pair, "columns": columns}
    return facts


def _good_sources(row: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Leave out what the authors mark as a bad source."""
    if not row["is_bad_source"]:
        yield row


def _wmt24(name: str, source: str, target: str) -> dict[str, Any]:
    """The test set of 2024 with the post-edited references of WMT24++; its only split is called train."""
    return {
        "dataset": "google/wmt24pp",
        "config": f"en-{target}_{REGIONS[target]}",
        "split": "train",
        "columns": {"source": "source", "target": "target", "domain": "domain"},
        "expand": _good_sources,
        "licence": "Apache-2.0",
        "citation": "Deutsch et al. 2025: WMT24++, https://arxiv.org/abs/2502.12404",
        "url": "https://huggingface.co/datasets/google/wmt24pp",
    }


def _flores(name: str, source: str, target: str) -> dict[str, Any]:
    return {
        "dataset": "openlanguagedata/flores_plus",
        "parallel": {"source": FLORES_CODES[source], "target": FLORES_CODES[target]},
        "split": "devtest",
        "columns": {"id": "source.id", "source": "source.text", "target": "target.text", "domain": "source.domain"},
        "licence": "CC BY-SA 4.0",
        "citation": "NLLB Team et al. 2022: No Language Left Behind, https://arxiv.org/abs/2207.04672",
        "url": "https://huggingface.co/datasets/openlanguagedata/flores_plus",
    }


def _multi30k(name: str, source: str, target: str) -> dict[str, Any]:
    return {
        "dataset": "bentrevett/multi30k",
        "columns": {"source": source, "target": target},
        "licence": "for non-commercial research and education",
        "citation": "Elliott et al. 2016: Multi30K, https://aclanthology.org/W16-3210",
        "url": "https://github.com/multi30k/dataset",
    }


def _opus100(name: str, source: str, target: str) -> dict[str, Any]:
    return {
        "dataset": "Helsinki-NLP/opus-100",
        "config": "-".join(sorted((source, target))),
        "columns": {"source": f"translation.{source}", "target": f"translation.{target}"},
        "licence": "not stated as a whole; each corpus of OPUS has its own",
        "citation": "Zhang et al. 2020: Improving Massively Multilingual NMT, https://aclanthology.org/2020.acl-main.148",
        "url": "https://huggingface.co/datasets/Helsinki-NLP/opus-100",
    }


FAMILIES: Mapping[str, Callable[[str, str, str], dict[str, Any]]] = {
    "wmt24": _wmt24,
    "flores_plus": _flores,
    "multi30k": _multi30k,
    "opus100": _opus100,
}

BENCHMARKS = {
    attribute(*one): Benchmark(
        name=benchmark_name(*one),
        task="translation",
        lang=one[1],
        target_lang=one[2],
        **FAMILIES.get(one[0], _wmt)(*one),
    )
    for one in pairs()
}


def __getattr__(name: str) -> Benchmark:
    try:
        return BENCHMARKS[name]
    except KeyError:
        raise AttributeError(name) from None
