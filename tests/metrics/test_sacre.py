"""BLEU, chrF and TER: sacreBLEU's own figures, to the last digit."""

from __future__ import annotations

import json
import logging
import os
import pickle
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import evaluate
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from nlptasks import ConfigError, MissingExtraError, UnknownNameError
from nlptasks.backends.base import warn_once
from nlptasks.metrics import bleu as bleu_module
from nlptasks.metrics.bleu import DOWNLOADED, MECAB, Bleu, tokenizer_for
from nlptasks.metrics.chrf import Chrf
from nlptasks.metrics.sacre import SacreMetric
from nlptasks.metrics.ter import Ter
from tests.metrics.samples import LANGUAGES, bench, sentence

Corpus = tuple[list[str], list[list[str]]]

EN = [
    ["The ferry crosses the harbour seven times a day.", "Seven times a day the ferry crosses the harbour."],
    ["It is quiet, and it costs nothing!", "It's quiet and free."],
    ["The passengers (most of them) like it.", "Most passengers like it."],
]
OURS = ["The ferry crosses the harbor seven times daily.", "It is quiet and costs nothing .", "passengers like it"]
TOKENIZERS = [name for name in BLEU.TOKENIZERS if name not in DOWNLOADED]
TEXT = st.text(alphabet="abAB .,'!?-3$%&;&quot;\n\t今天的ก็אب🚢", max_size=30)


def streams(references: Sequence[Sequence[str]]) -> Any:
    """Rows of references as sacreBLEU takes them: one stream for each position, None where a row has no more."""
    return list(zip_longest(*references))


def damaged(text: str, dice: random.Random) -> str:
    """Return what a bad translator could have made of ``text``."""
    gap = " " if " " in text else ""
    pieces = text.split() if gap else list(text)
    kept = [piece for piece in pieces if dice.random() > 0.2]
    if dice.random() < 0.5 and len(kept) > 3:
        kept[1], kept[2] = kept[2], kept[1]
    return gap.join(kept)


def corpus(path: str, rows: int = 200) -> Corpus:
    """Real references, now and then with a second one, and damaged copies of them as predictions."""
    dice = random.Random(3)
    references = [list(row.get("references") or [row["target"]]) for row in bench(path)[:rows]]
    predictions = [damaged(each[0], dice) for each in references]
    for each in references[::3]:
        each.append(damaged(each[0], dice))
    return predictions, references


def tokenizers() -> list[Any]:
    return [
        pytest.param(name, marks=pytest.mark.skipif(not usable(name), reason=f"needs sacrebleu[{name[:2]}]"))
        for name in TOKENIZERS
    ]


def usable(tokenizer: str) -> bool:
    return tokenizer not in MECAB or bleu_module._installed(tokenizer)


@pytest.mark.parametrize("tokenizer", tokenizers())
@pytest.mark.parametrize("path", ["tatoeba_en-de/translation.en-de.jsonl", "tatoeba_en-zh/translation.en-zh.jsonl"])
def test_bleu_equals_sacrebleu_for_every_tokenizer_on_real_data(path: str, tokenizer: str) -> None:
    predictions, references = corpus(path)
    for lowercase in (False, True):
        theirs = BLEU(tokenize=tokenizer, lowercase=lowercase)
        expected = theirs.corpus_score(predictions, streams(references)).score
        ours = Bleu(tokenize=tokenizer, lowercase=lowercase)
        assert ours.aggregate(ours.statistics(predictions, references)) == {"bleu": expected}
        assert ours.signature == f"bleu|v:1|{theirs.get_signature()}"


@pytest.mark.parametrize(
    ("smooth", "value"), [("exp", None), ("floor", None), ("floor", 0.3), ("add-k", 2), ("none", None)]
)
def test_bleu_smooths_as_sacrebleu_does(smooth: str, value: float | None) -> None:
    theirs = BLEU(smooth_method=smooth, smooth_value=value)
    expected = theirs.corpus_score(OURS[1:2], streams(EN[1:2])).score
    ours = Bleu(lang="en", smooth=smooth, smooth_value=value)
    statistics = ours.statistics(OURS[1:2], EN[1:2])
    assert ours.aggregate(statistics) == ours.aggregate(statistics) == {"bleu": expected}
    assert ours.signature == f"bleu|v:1|{theirs.get_signature()}"


CHRF_OPTIONS: list[dict[str, Any]] = [
    {}, {"word_order": 2}, {"char_order": 3, "word_order": 1}, {"beta": 1}, {"lowercase": True, "beta": 3},
]  # fmt: skip


@pytest.mark.parametrize("options", CHRF_OPTIONS, ids=str)
@pytest.mark.parametrize("path", ["tatoeba_en-de/translation.en-de.jsonl", "tatoeba_en-zh/translation.en-zh.jsonl"])
def test_chrf_equals_sacrebleu_on_real_data(path: str, options: dict[str, Any]) -> None:
    predictions, references = corpus(path)
    theirs = CHRF(**options)
    expected = theirs.corpus_score(predictions, streams(references)).score
    ours = Chrf(**options)
    assert ours.aggregate(ours.statistics(predictions, references)) == {"chrf": expected}
    assert ours.signature == f"chrf|v:1|{theirs.get_signature()}"


TER_OPTIONS: list[dict[str, Any]] = [
    {"normalized": False, "asian_support": False},
    {"normalized": True, "asian_support": False, "no_punct": True},
    {"normalized": True, "asian_support": True, "case_sensitive": True},
]


@pytest.mark.parametrize("options", TER_OPTIONS, ids=str)
@pytest.mark.parametrize("path", ["tatoeba_en-de/translation.en-de.jsonl", "tatoeba_en-zh/translation.en-zh.jsonl"])
def test_ter_equals_sacrebleu_on_real_data(path: str, options: dict[str, Any]) -> None:
    predictions, references = corpus(path, rows=60)
    for each in references[::7]:  # three references: their mean length is no whole number
        each[:] = [*each, each[0].upper(), each[0][:9]][:3]
    theirs = TER(**options)
    expected = theirs.corpus_score(predictions, streams(references)).score
    ours = Ter(**options)
    assert ours.aggregate(ours.statistics(predictions, references)) == {"ter": expected}
    assert ours.signature == f"ter|v:1|{theirs.get_signature()}"


CASES: list[tuple[str, Callable[[], SacreMetric], list[str]]] = [
    ("en", lambda: Bleu(lang="en"), ["-m", "bleu"]),
    ("en", lambda: Bleu(lang="en", lowercase=True, tokenize="intl"), ["-m", "bleu", "-lc", "-tok", "intl"]),
    ("zh", lambda: Bleu(lang="zh-CN"), ["-m", "bleu", "-tok", "zh"]),
    ("zh", lambda: Chrf(), ["-m", "chrf"]),
    ("en", lambda: Chrf(word_order=2), ["-m", "chrf", "--chrf-word-order", "2"]),
    ("en", lambda: Ter(lang="en"), ["-m", "ter"]),
    ("zh", lambda: Ter(lang="zh"), ["-m", "ter", "--ter-normalized", "--ter-asian-support"]),
]


@pytest.mark.parametrize(
    ("lang", "build", "arguments"), CASES, ids=lambda each: str(each) if isinstance(each, str) else ""
)
def test_the_command_line_of_sacrebleu_prints_the_same_figure(
    tmp_path: Path, lang: str, build: Callable[[], SacreMetric], arguments: list[str]
) -> None:
    predictions = OURS if lang == "en" else ["渡轮每天过港七次。", "它很安静，也不要钱！", "乘客喜欢它"]
    references = (
        EN if lang == "en" else [["渡轮每天穿过港口七次。"] * 2, ["它很安静，而且免费！"] * 2, ["乘客们喜欢它。"] * 2]
    )
    files = {"hyp": predictions, **{f"ref{at}": [each[at] for each in references] for at in (0, 1)}}
    for name, lines in files.items():
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    command = [sys.executable, "-m", "sacrebleu", "ref0", "ref1", "-i", "hyp", *arguments, "-w", "12", "-f", "json"]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True, timeout=120)
    theirs = json.loads(done.stdout)
    [value] = build().compute(predictions=predictions, references=references).values()
    assert round(value, 12) == theirs["score"]
    metric = build()
    metric.statistics(predictions, references)
    assert metric.signature.partition("|v:1|")[2] == theirs["signature"]


METRICS: list[tuple[Callable[[], SacreMetric], Callable[[], Any]]] = [
    (lambda: Bleu(lang="en"), lambda: BLEU(force=True)),
    (lambda: Chrf(word_order=2), lambda: CHRF(word_order=2)),
    (lambda: Ter(lang="en"), TER),
]
NAMES = ["bleu", "chrf", "ter"]


@pytest.mark.parametrize(("build", "original"), METRICS, ids=NAMES)
@settings(max_examples=80, deadline=None)
@given(rows=st.lists(st.tuples(TEXT, st.lists(TEXT, min_size=1, max_size=3)), min_size=1, max_size=4))
def test_any_text_is_scored_as_by_sacrebleu(
    build: Callable[[], SacreMetric], original: Callable[[], Any], rows: list[tuple[str, list[str]]]
) -> None:
    predictions, references = [row[0] for row in rows], [row[1] for row in rows]
    metric = build()
    [value] = metric.aggregate(metric.statistics(predictions, references)).values()
    assert value == original().corpus_score(predictions, streams(references)).score
    assert np.isfinite(value)


@pytest.mark.parametrize(("build", "original"), METRICS, ids=NAMES)
def test_any_choice_of_rows_is_scored_as_that_corpus(
    build: Callable[[], SacreMetric], original: Callable[[], Any]
) -> None:
    metric = build()
    statistics = metric.statistics(OURS, EN)
    assert statistics.dtype == np.float64
    for chosen in ([0], [2, 2, 1], [1, 0, 2, 0]):
        expected = original().corpus_score([OURS[i] for i in chosen], streams([EN[i] for i in chosen])).score
        assert metric.aggregate(statistics[chosen]) == {metric.name: expected}
    reverse = metric.aggregate(statistics[::-1])[metric.name]
    assert reverse == pytest.approx(metric.aggregate(statistics)[metric.name], abs=1e-10)


@pytest.mark.parametrize("lang", LANGUAGES)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_identical_sentences_reach_the_best_value(lang: str, data: st.DataObject) -> None:
    text = data.draw(sentence(lang))
    for metric, best in ((Bleu(lang=lang), 100), (Chrf(lang=lang), 100), (Ter(lang=lang), 0)):
        [value] = metric.aggregate(metric.statistics([text], [[text]])).values()
        assert value == pytest.approx(best, abs=1e-10)


def test_the_language_is_detected_once_over_all_references() -> None:
    metric = Bleu()
    metric.statistics(["OK", "镇上的渡轮"], [["OK"], ["镇上的渡轮今天首次载客"]])
    assert "tok:zh" in metric.signature
    metric.statistics(OURS, EN)
    assert "tok:13a" in metric.signature


@pytest.mark.parametrize(
    ("lang", "tokenizer"),
    [("zh-TW", "zh"), ("Chinese", "zh"), ("yue", "zh"), ("th", "char"), ("km", "char"), ("de", "13a"), ("und", "13a")],
)
def test_the_tokenizer_follows_the_language(lang: str, tokenizer: str) -> None:
    metric = Bleu(lang=lang)
    metric.statistics(["1 2"], [["1 2"]])
    assert f"tok:{tokenizer}|" in metric.signature


@pytest.mark.parametrize("lang", ["ja", "ko"])
def test_without_mecab_it_goes_by_characters_and_says_so(
    lang: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bleu_module, "find_spec", lambda module: None)
    warn_once.cache_clear()
    with caplog.at_level(logging.WARNING, "nlptasks"):
        metric = Bleu(lang=lang)
        metric.statistics(["今日 나는"], [["今日 나는"]])
    assert "tok:char|" in metric.signature
    assert f"pip install 'sacrebleu[{lang}]'" in caplog.text
    with pytest.raises(MissingExtraError, match=rf"sacrebleu\[{lang}\]"):
        Bleu(tokenize=f"{lang}-mecab")


@pytest.mark.parametrize(
    ("lang", "text"), [("ja", "電動フェリーは今日初めて客を乗せた"), ("ko", "전기 여객선이 오늘 처음으로")]
)
def test_with_mecab_it_goes_by_words(lang: str, text: str) -> None:
    if not usable(f"{lang}-mecab"):
        pytest.skip(f"needs sacrebleu[{lang}]")
    assert tokenizer_for(lang) == f"{lang}-mecab"
    metric = Bleu(lang=lang)
    again = pickle.loads(pickle.dumps(metric))
    for each in (metric, again):
        [value] = each.aggregate(each.statistics([text], [[text]])).values()
        assert value == pytest.approx(100)
    assert f"tok:{lang}-mecab-" in metric.signature


def test_four_characters_of_japanese_may_be_fewer_words() -> None:
    short, shorter = [3, 3, 3, 2, 1, 0, 3, 2, 1, 0, 1], [2, 2, 2, 1, 0, 0, 2, 1, 0, 0, 0]
    longer = [5, 5, 5, 4, 3, 2, 5, 4, 3, 2, 1]
    metric = Bleu(lang="ja")
    scores = [metric.aggregate(np.array(rows))["bleu"] for rows in ([short], [shorter], [short, longer], [shorter] * 3)]
    assert scores == [pytest.approx(100), 0, pytest.approx(100), 0]
    if not usable("ja-mecab"):
        pytest.skip("that MeCab finds three words in four characters needs sacrebleu[ja]")
    assert metric.compute(predictions=["今日は雨"], references=["今日は雨"])["bleu"] == pytest.approx(100)
    assert metric.compute(predictions=["今日"], references=["今日"]) == {"bleu": 0}
    stock = Bleu(lang="ja", tokenize="ja-mecab")
    assert stock.compute(predictions=["今日は雨"], references=["今日は雨"]) == {"bleu": 0}


def test_what_mecab_cannot_read_is_said_in_one_line_or_replaced() -> None:
    if not usable("ja-mecab"):
        pytest.skip("needs sacrebleu[ja]")
    with pytest.raises(ValueError, match=r"^bleu: a text is too long for MeCab: take bleu:tokenize=char$"):
        Bleu(lang="ja").statistics(["x" * 1_000_000], [["x"]])
    assert Bleu(lang="ja").statistics(["今日\ud800"], [["今日?"]])[0, :3].tolist() == [2, 2, 2]


def test_ter_goes_by_characters_where_words_are_not_spaced() -> None:
    for lang, text, tokens in (("zh", "电动渡轮今天载客", 8), ("th", "กขคงจ", 5), ("de", "Die Fähre fährt", 3)):
        metric = Ter(lang=lang)
        assert metric.statistics([text[:-1]], [[text]]).tolist() == [[1, tokens]]
    thai = Ter(lang="th")
    thai.statistics(["ก"], [["ข"]])
    assert "|tok:char+tercom|" in thai.signature


@pytest.mark.parametrize("tokenizer", sorted(DOWNLOADED))
def test_a_tokenizer_that_would_be_downloaded_is_refused(tokenizer: str) -> None:
    with pytest.raises(ConfigError, match="downloaded"):
        Bleu(tokenize=tokenizer)


def test_options_that_do_not_exist() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'char'"):
        Bleu(tokenize="chars")
    with pytest.raises(UnknownNameError, match="smoothing"):
        Bleu(smooth="much")
    with pytest.raises(ConfigError, match="char_order must be at least 1"):
        Chrf(char_order=0)
    with pytest.raises(ConfigError, match="word_order must be at least 0"):
        Chrf(word_order=-1)


@pytest.mark.parametrize("metric", [Bleu, Chrf, Ter], ids=NAMES)
def test_what_cannot_be_scored_is_said_in_one_line(metric: type[SacreMetric]) -> None:
    for predictions, references, problem in (
        (["a"], [["a"], ["b"]], "1 predictions, but references for 2"),
        (["a", "b"], [["a"], []], "row 2 has no reference"),
        ([], [], "nothing to score"),
    ):
        with pytest.raises(ValueError, match=problem):
            metric(lang="en").statistics(predictions, references)


@pytest.mark.parametrize(("metric", "worst"), [(Bleu, 0), (Chrf, 0), (Ter, 100)], ids=NAMES)
def test_an_empty_prediction_is_the_worst(metric: type[SacreMetric], worst: float) -> None:
    assert metric(lang="en").compute(predictions=[""], references=[["a b c d"]]) == {metric.name: worst}


def test_they_are_metrics_of_evaluate() -> None:
    together = evaluate.combine([Bleu(lang="en"), Chrf(), Ter(lang="en")])
    together.add_batch(predictions=OURS[:2], references=EN[:2])
    together.add_batch(predictions=OURS[2:], references=EN[2:])
    apart = [
        build().compute(predictions=OURS, references=EN)
        for build in (lambda: Bleu(lang="en"), Chrf, lambda: Ter(lang="en"))
    ]
    assert together.compute() == {name: value for scores in apart for name, value in scores.items()}


@pytest.mark.parametrize("metric", [Bleu(lang="zh"), Chrf(word_order=2), Ter(lang="zh")], ids=NAMES)
def test_slices_in_other_processes_give_the_same_rows(metric: SacreMetric) -> None:
    predictions, references = ["渡轮每天", "它很安静"], [["渡轮每天过港"], ["它安静"]]
    whole = metric.statistics(predictions, references)
    other = pickle.loads(pickle.dumps(metric))
    halves = [other.statistics(predictions[at : at + 1], references[at : at + 1]) for at in (0, 1)]
    assert np.concatenate(halves).tolist() == whole.tolist()
