"""Answers compared as the official scripts do, written here a second time from the published definitions."""

from __future__ import annotations

import re
import string
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.tokenize import word_tokenize

from nlptasks import UnknownNameError
from nlptasks.metrics.squad import Squad
from tests.metrics.samples import LANGUAGES, bench, guesses, sentence


def f1(predicted: list[str], expected: list[str]) -> float:
    left = list(expected)
    for token in predicted:
        if token in left:
            left.remove(token)
    same = len(expected) - len(left)
    return 2 * same / (len(predicted) + len(expected)) if same else 0.0


def squad_tokens(text: str) -> list[str]:
    letters = [letter for letter in text.lower() if letter not in string.punctuation]
    return re.sub(r"\b(a|an|the)\b", " ", "".join(letters)).split()


def mlqa_tokens(text: str, lang: str) -> list[str]:
    kept = [x for x in text.lower() if not unicodedata.category(x).startswith("P") and x not in string.punctuation]
    bare = "".join(kept)
    if lang == "de":
        bare = re.sub(r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b", " ", bare)
    if lang == "zh":
        bare = "".join(f" {x} " if "\u4e00" <= x <= "\u9fa5" else x for x in bare)
    return bare.split()


def cmrc_normal(text: str) -> str:
    return "".join(x for x in text.lower().strip() if x not in "-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』")


def cmrc_tokens(text: str) -> list[str]:
    tokens, other = [], ""
    for letter in cmrc_normal(text) + "字":
        if "\u4e00" <= letter <= "\u9fa5":
            tokens += [*word_tokenize(other, preserve_line=True), letter]
            other = ""
        else:
            other += letter
    return tokens[:-1]


def cmrc_f1(prediction: str, reference: str) -> float:
    a, b = cmrc_tokens(prediction), cmrc_tokens(reference)
    runs = {tuple(a[i:j]) for i in range(len(a)) for j in range(i + 1, len(a) + 1)}
    longest = max([j - i for i in range(len(b)) for j in range(i + 1, len(b) + 1) if tuple(b[i:j]) in runs], default=0)
    return 2 * longest / (len(a) + len(b)) if longest else 0.0


@pytest.mark.parametrize("name", ["squad1_en", "squadshifts_amazon_en"])
def test_english_equals_the_official_rules(name: str) -> None:
    rows = bench(f"{name}/question-answering.en.jsonl")
    predictions, references = guesses(rows), [row["answers"] for row in rows]
    pairs = list(zip(predictions, references, strict=True))
    exact = [100 * max(squad_tokens(p) == squad_tokens(r) for r in texts) for p, texts in pairs]
    overlap = [100 * max(f1(squad_tokens(p), squad_tokens(r)) for r in texts) for p, texts in pairs]
    ours = Squad(lang="en").statistics(predictions, references)
    np.testing.assert_allclose(ours, np.transpose([exact, overlap]), rtol=0, atol=1e-12)
    assert 10 < np.mean(exact) < np.mean(overlap) < 90


@pytest.mark.parametrize(("name", "lang"), [("xquad_de", "de"), ("xquad_zh", "zh")])
def test_other_languages_equal_the_rules_of_mlqa(name: str, lang: str) -> None:
    rows = bench(f"{name}/question-answering.{lang}.jsonl")
    predictions, references = guesses(rows), [row["answers"] for row in rows]
    pairs = list(zip(predictions, references, strict=True))
    exact = [100 * max(mlqa_tokens(p, lang) == mlqa_tokens(r, lang) for r in texts) for p, texts in pairs]
    overlap = [100 * max(f1(mlqa_tokens(p, lang), mlqa_tokens(r, lang)) for r in texts) for p, texts in pairs]
    ours = Squad(lang=lang, rules="mlqa").statistics(predictions, references)
    np.testing.assert_allclose(ours, np.transpose([exact, overlap]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["cmrc2018_zh", "drcd_zh"])
def test_chinese_equals_the_rules_of_cmrc(name: str) -> None:
    rows = bench(f"{name}/question-answering.zh.jsonl")
    predictions, references = guesses(rows), [row["answers"] for row in rows]
    pairs = list(zip(predictions, references, strict=True))
    exact = [100 * any(cmrc_normal(p) == cmrc_normal(r) for r in texts) for p, texts in pairs]
    overlap = [100 * max(cmrc_f1(p, r) for r in texts) for p, texts in pairs]
    ours = Squad().statistics(predictions, references)
    np.testing.assert_allclose(ours, np.transpose([exact, overlap]), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("lang", "rules", "prediction", "reference", "exact", "overlap"),
    [
        ("en", None, "The U.S. Army!", "us army", 100, 100),
        ("en", None, "a red house", "the house", 0, 2 * 1 / 3 * 100),
        ("en", None, "", "the", 100, 0),  # as the script of SQuAD 1.1 has it
        ("de", None, "„Der Hafen“", "hafen", 100, 100),
        ("de", "squad", "Der Hafen", "hafen", 0, 2 * 1 / 3 * 100),
        ("es", None, "¿las islas?", "Islas", 100, 100),
        ("vi", None, "những hòn đảo", "hòn đảo", 100, 100),
        ("ar", None, "البحر", "بحر", 100, 100),
        ("hi", None, "समुद्र।", "समुद्र", 100, 100),
        ("zh", None, "上海市。", "上海", 0, 2 * 2 / 5 * 100),
        ("zh", None, "海上", "上海", 0, 50),  # CMRC: the longest run in common is one character
        ("zh", "mlqa", "海上", "上海", 0, 100),
        ("zh", "squad", "海上", "上海", 0, 0),
        ("zh-TW", None, "1990年代", "1990年", 0, 2 * 2 / 5 * 100),
        ("ja", None, "東京都。", "東京", 0, 2 * 2 / 5 * 100),
        ("th", None, "น้ำ", "น้ำ", 100, 100),
        ("fr", None, "L’île", "l'île", 100, 100),
    ],
)
def test_each_language_by_its_own_rules(
    lang: str, rules: str | None, prediction: str, reference: str, exact: float, overlap: float
) -> None:
    score = Squad(lang=lang, rules=rules).compute(predictions=[prediction], references=[reference])
    assert score == pytest.approx({"exact_match": exact, "f1": overlap})


@pytest.mark.parametrize("lang", LANGUAGES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_same_sentence_scores_best(lang: str, data: st.DataObject) -> None:
    text = data.draw(sentence(lang))
    for metric in (Squad(lang=lang), Squad()):
        assert metric.aggregate(metric.statistics([text], [["", text]])) == {"exact_match": 100, "f1": 100}


@settings(max_examples=200, deadline=None)
@given(prediction=st.text(), reference=st.text(), lang=st.sampled_from([*LANGUAGES, "und", None]))
def test_any_text_gets_a_score(prediction: str, reference: str, lang: str | None) -> None:
    scores = Squad(lang=lang).statistics([prediction], [[reference]])
    assert np.all((scores >= 0) & (scores <= 100 + 1e-9))


def test_the_signature_names_the_rules() -> None:
    metric = Squad()
    assert metric.signature == "squad|v:1|lang:auto|rules:auto|refs:max"
    metric.statistics(["渡轮"], [["电动渡轮"]])
    assert metric.signature == "squad|v:1|lang:zh|rules:cmrc|refs:max"
    assert Squad(lang="de", rules="squad").signature == "squad|v:1|lang:de|rules:squad|refs:max"


def test_what_cannot_be_scored_is_one_line() -> None:
    with pytest.raises(ValueError, match=r"^squad: row 1 has no reference; .*"):
        Squad().statistics(["a"], [[]])
    with pytest.raises(UnknownNameError, match="official"):
        Squad(rules="official")
