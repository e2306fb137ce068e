"""Sentences in nine languages to score, and the benchmark rows that this project does not hold."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import strategies as st

from tests.support import DATA

_WORDS = {
    "en": "ferry harbour Tuesday passengers electric quietly crossed seven bridges before winter".split(),
    "de": "Fähre Häfen Dienstag Fahrgäste elektrisch leise überquerte sieben Brücken größte".split(),
    "zh": list("镇上电动渡轮今天首次载客驶过七座桥"),
    "ja": list("町の電動フェリーは今日初めて客を乗せ橋"),
    "ko": "마을의 전기 여객선이 오늘 처음으로 승객을 태우고 다리를 건넜다".split(),
    "ar": "عبرت سفينة كهربائية سبعة جسور قبل شتاء بارد مدينتنا".split(),
    "hi": "नगर की विद्युत नौका ने आज पहली बार यात्रियों को पुल".split(),
    "ru": "городской электрический паром сегодня впервые перевёз пассажиров через семь мостов".split(),
    "th": ["ก", "ข", "คำ", "น้ำ", "ที่", "เ", "มื", "ง", "ว", "ล"],
}
LANGUAGES = sorted(_WORDS)


def sentence(lang: str) -> st.SearchStrategy[str]:
    """Sentences of at least four distinct words: characters in Chinese, Japanese and Thai."""
    gap = "" if lang in ("zh", "ja", "th") else " "
    return st.lists(st.sampled_from(_WORDS[lang]), min_size=4, max_size=9, unique=True).map(gap.join)


def bench(path: str) -> list[dict[str, Any]]:
    """The rows of one file of real data."""
    file = DATA / "bench" / path
    if not file.exists():
        pytest.skip(f"needs {path}: set NLPTASKS_TEST_DATA to the folder that holds bench/")
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def guesses(rows: list[dict[str, Any]]) -> list[str]:
    """An answer of mixed quality to each question: right, longer, shorter, in capitals, elsewhere, or none."""
    dice = random.Random(7)
    found = []
    for row in rows:
        at = max([*row["answer_starts"], 0])
        size = len(row["answers"][0]) if row["answers"] else 20
        start, end = max(0, at - dice.randrange(25)), at + size + dice.randrange(25)
        context = row["context"]
        right = row["answers"][-1] if row["answers"] else ""
        found.append(
            dice.choice([right, right.upper(), context[start:end], context[at : at + size // 2 + 1], context[:9], ""])
        )
    return found
