"""ROUGE: the stock scorer's figures in English, and figures that mean something in every other language."""

from __future__ import annotations

import pickle
import tracemalloc
from collections.abc import Sequence
from typing import Any

import evaluate
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nltk.stem.cistem import Cistem
from rouge_score import tokenize
from rouge_score.rouge_scorer import RougeScorer

from nlptasks import UnknownNameError
from nlptasks.metrics import _lcs
from nlptasks.metrics._lcs import Tokens
from nlptasks.metrics._tokens import tokenizer
from nlptasks.metrics.rouge import PARTS, Rouge
from tests.metrics.samples import LANGUAGES, bench, sentence

PIECES = [*"aabbcdei 01.-'\n\n", "running ", "runs ", "relational ", "ings ", "É", "ß", "İ", "字", "\x1c"]
TEXT = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


def stock(predictions: Sequence[str], references: Sequence[Sequence[str]], **options: Any) -> Any:
    scorer = RougeScorer(list(PARTS), **options)
    pairs = zip(predictions, references, strict=True)
    scores = [scorer.score_multi(list(texts), prediction) for prediction, texts in pairs]
    return np.array([[100 * each[part].fmeasure for part in PARTS] for each in scores])


class Splitter:
    """A tokenizer object as rouge_score takes it."""

    def __init__(self, split: Any) -> None:
        self.tokenize = split


@settings(max_examples=400, deadline=None)
@given(prediction=TEXT, reference=TEXT)
@example(prediction="a b\nc", reference="c\n\na b")
def test_english_equals_the_stock_scorer(prediction: str, reference: str) -> None:
    for stemmer, stems in (("porter", True), ("none", False)):
        ours = Rouge(lang="en", stemmer=stemmer).statistics([prediction], [[reference]])
        assert ours.tolist() == stock([prediction], [[reference]], use_stemmer=stems).tolist()


def in_lines(text: str) -> str:
    return text.replace(". ", ".\n").replace(", ", ",\n")


def test_english_equals_the_stock_scorer_on_real_summaries() -> None:
    rows = bench("scitldr_en/summarization.en.jsonl")[:60]
    predictions = [in_lines(" ".join(row["document"].split()[:60])) for row in rows]
    references = [[in_lines(text) for text in row.get("references") or [row["summary"]]] for row in rows]
    assert max(len(texts) for texts in references) > 1
    ours = Rouge(lang="en").statistics(predictions, references)
    assert ours.tolist() == stock(predictions, references, use_stemmer=True).tolist()
    plain = Rouge(lang="en", stemmer="none").statistics(predictions, references)
    assert plain.tolist() == stock(predictions, references).tolist()
    assert not np.array_equal(ours[:, 2], ours[:, 3])  # the summaries have several sentences


def test_chinese_equals_the_stock_scorer_over_characters_written_as_numbers() -> None:
    rows = bench("csl_zh/summarization.zh.jsonl")[:60]
    predictions, references = [row["document"][:40] for row in rows], [row["summary"] for row in rows]

    def numbered(text: str) -> str:
        return " ".join(str(ord(letter)) for letter in text.lower() if not letter.isspace())

    ours = Rouge(lang="zh", lsum="newline").statistics(predictions, [[text] for text in references])
    assert ours.tolist() == stock(list(map(numbered, predictions)), [[numbered(text)] for text in references]).tolist()
    assert ours.mean() > 10


def test_german_published_with_rouge_score_and_cistem_comes_out() -> None:
    rows = bench("klexikon_de/summarization.de.jsonl")[:40]
    predictions = ["\n".join(row["document"].split("\n")[:3]) for row in rows]
    references = [[row["summary"]] for row in rows]
    published = Splitter(lambda text: tokenize.tokenize(text, Cistem(case_insensitive=True)))
    ours = Rouge(lang="de", tokenizer="stock").statistics(predictions, references)
    assert ours.tolist() == stock(predictions, references, tokenizer=published).tolist()


@pytest.mark.parametrize("lang", LANGUAGES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_same_sentence_scores_best(lang: str, data: st.DataObject) -> None:
    text = data.draw(sentence(lang))
    for metric in (Rouge(lang=lang), Rouge(), Rouge(lang=lang, tokenizer="words")):
        assert metric.aggregate(metric.statistics([text], [[text]])) == dict.fromkeys(PARTS, 100.0)


@settings(max_examples=200, deadline=None)
@given(prediction=st.text(), references=st.lists(st.text(), min_size=1, max_size=3), lang=st.sampled_from(LANGUAGES))
def test_any_text_gets_a_score(prediction: str, references: list[str], lang: str) -> None:
    for multi in ("max", "mean"):
        scores = Rouge(lang=lang, multi=multi).statistics([prediction], [references])
        assert np.all((scores >= 0) & (scores <= 100 + 1e-9))


@settings(max_examples=200, deadline=None)
@given(tokens=st.lists(st.sampled_from("abcd"), min_size=1), others=st.lists(st.sampled_from("abcd"), min_size=1))
def test_long_texts_are_compared_in_blocks_to_the_same_result(tokens: list[str], others: list[str]) -> None:
    whole = Tokens(tokens)
    with pytest.MonkeyPatch.context() as patch:
        expected = whole.longest(others), whole.members(others)
        patch.setattr(_lcs, "BLOCK", 3)
        assert (whole.longest(others), whole.members(others)) == expected
    assert expected[1].bit_count() == expected[0]


def test_a_text_of_a_million_characters_fits_into_memory() -> None:
    text = "ab " * 170_000 + "\n" + "ba " * 170_000
    tracemalloc.start()
    try:
        scores = Rouge(lang="en").statistics([text], [["ab ab\nba"]])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert np.all(np.isfinite(scores))
    assert peak < 200e6


def test_distinct_ngrams_count_once() -> None:
    rows = bench("csl_zh/summarization.zh.jsonl")[:60]
    predictions, references = [row["document"][:40] for row in rows], [row["summary"] for row in rows]
    ours = Rouge(lang="zh", count="distinct", lsum="newline").statistics(predictions, [[text] for text in references])

    def overlap(said: str, right: str, size: int) -> float:
        a, b = ({"".join(text.lower().split())[i : i + size] for i in range(len(text))} for text in (said, right))
        a, b = ({gram for gram in grams if len(gram) == size} for grams in (a, b))
        return 200 * len(a & b) / (len(a) + len(b))

    for size in (1, 2):
        expected = [overlap(*pair, size) for pair in zip(predictions, references, strict=True)]
        assert ours[:, size - 1].tolist() == pytest.approx(expected)
    usual = Rouge(lang="zh").statistics(predictions, [[text] for text in references])
    assert ours[:, 2].tolist() == usual[:, 2].tolist()
    assert ours[:, 0].mean() > usual[:, 0].mean()
    both = Rouge(lang="zh", count="distinct").statistics(["一一二二三"], [["一二"]])
    assert both[0].tolist() == pytest.approx([80, 40, 400 / 7, 80])
    assert "|count:distinct|" in Rouge(count="distinct").signature


def test_all_parts_may_be_those_of_the_reference_with_the_best_rouge_1() -> None:
    texts = ["late is ferry the bus", "the ferry is slow"]
    rows = {
        multi: Rouge(lang="en", multi=multi).statistics(["the ferry is late"], [texts])[0] for multi in ("max", "best")
    }
    assert rows["max"].tolist() == pytest.approx([800 / 9, 200 / 3, 75, 75])
    assert rows["best"].tolist() == pytest.approx([800 / 9, 0, 200 / 9, 200 / 9])


def test_several_references_count_by_the_best_or_on_average() -> None:
    texts = ["the ferry is late", "a bus came"]
    best, mean = (Rouge(lang="en", multi=multi).statistics(["the ferry is late"], [texts]) for multi in ("max", "mean"))
    assert best.tolist() == [[100, 100, 100, 100]]
    assert mean.tolist() == [[50, 50, 50, 50]]


def test_german_words_keep_their_umlauts_and_lose_their_endings() -> None:
    german = tokenizer("words", "cistem", "de")
    assert german("Die Bürger größerer Häuser") == ["die", "burg", "gross", "hau"]
    assert len(tokenizer("stock", "none", "de")("Bürger")) == 2
    score = Rouge(lang="German").compute(predictions=["Die Häuser der Bürger"], references=["das Haus des Bürgers"])
    assert score["rouge1"] == 50


@pytest.mark.parametrize(
    ("lang", "text", "tokens"),
    [
        ("zh", "Ａ型，2 次", ["ａ", "型", "，", "2", "次"]),
        ("ja", "が ガ", ["が", "ガ"]),
        ("th", "น้ำที่", ["น้ำ", "ที่"]),
    ],
)
def test_unspaced_scripts_are_split_into_grapheme_clusters(lang: str, text: str, tokens: list[str]) -> None:
    assert tokenizer("char", "none", lang)(text) == tokens
    assert f"|lang:{lang}|tok:char|stem:none|" in Rouge(lang=lang).signature


def test_korean_is_split_into_words() -> None:
    score = Rouge(lang="ko").compute(predictions=["승객을 태운 배"], references=["승객을 태운 버스"])
    assert score["rouge1"] == pytest.approx(200 / 3)


def test_chinese_words_on_request() -> None:
    pytest.importorskip("jieba", reason="tokenizer=jieba needs the package jieba")
    metric = Rouge(lang="zh", tokenizer="jieba")
    words = metric.compute(predictions=["我们研究生命起源"], references=["研究生命起源"])
    assert words["rouge1"] == pytest.approx(100 * 2 * 3 / (4 + 3))  # 我们 研究 生命 起源
    assert "|tok:jieba|" in metric.signature


def test_tokenized_text_is_taken_as_it_stands() -> None:
    score = Rouge(lang="zh", tokenizer="spaces").compute(predictions=["渡 轮 [UNK]"], references=["渡 船 [UNK]"])
    assert score["rouge1"] == pytest.approx(200 / 3)


def test_lsum_finds_the_sentences_of_a_text_in_one_line() -> None:
    one, two = "Die Fähre ist leise.", "Morgen kommt ein neues Schiff."
    swapped = {"predictions": [f"{one} {two}"], "references": [f"{two} {one}"]}
    score = Rouge(lang="de").compute(**swapped)
    assert score["rougeLsum"] == 100 > score["rougeL"]
    kept = Rouge(lang="de", lsum="newline").compute(**swapped)
    assert kept["rougeLsum"] == kept["rougeL"]
    assert Rouge(lang="en").compute(predictions=["A b. C d."], references=["C d. A b."])["rougeLsum"] == 50


def test_the_signature_names_what_the_score_depends_on() -> None:
    metric = Rouge(multi="mean")
    assert metric.signature.startswith("rouge|v:1|lang:auto|tok:auto|stem:auto|lsum:auto|")
    metric.compute(predictions=["Die Fähre ist heute leise"], references=["Die neue Fähre ist sehr leise"])
    start = "rouge|v:1|lang:de|tok:words|stem:cistem|lsum:split|case:lower|refs:mean|rouge_score:"
    assert metric.signature.startswith(start)
    assert "|tok:stock|stem:porter|lsum:newline|" in Rouge(lang="en-GB").signature


def test_it_works_as_a_metric_of_evaluate() -> None:
    metric = Rouge(lang="en")
    metric.add_batch(predictions=["the ferry", ""], references=["the ferry", "a bus"])
    assert metric.compute()["rouge1"] == 50
    both = evaluate.combine([Rouge(lang="en")])
    assert both.compute(predictions=["the ferry"], references=[["the ferry", "a bus"]])["rougeL"] == 100


def test_slices_of_rows_give_the_same_statistics_in_another_process() -> None:
    predictions, references = ["the ferry", "a bus", "one\ntwo"], [["a ferry"], ["a bus"], ["two", "one"]]
    metric = Rouge(lang="en")
    whole = metric.statistics(predictions, references)
    copy = pickle.loads(pickle.dumps(metric))
    parts = [copy.statistics(predictions[at], references[at]) for at in (slice(0, 1), slice(1, 3))]
    assert np.vstack(parts).tolist() == whole.tolist()
    assert metric.aggregate(whole[[2, 0, 1]]) == pytest.approx(metric.aggregate(whole))
    assert metric.statistics([], []).shape == (0, 4)


def test_what_cannot_be_scored_is_one_line() -> None:
    metric = Rouge(lang="en")
    assert metric.statistics(["", "a", ""], [["a"], [""], [""]]).tolist() == [[0] * 4] * 3
    with pytest.raises(ValueError, match=r"^rouge: row 2 has no reference; .*"):
        metric.statistics(["a", "b"], [["a"], []])
    with pytest.raises(ValueError, match=r"^rouge: 2 predictions, but references for 1$"):
        metric.statistics(["a", "b"], [["a"]])


@pytest.mark.parametrize("option", ["tokenizer", "stemmer", "multi", "lsum", "lang", "count"])
def test_an_unknown_option_is_one_line(option: str) -> None:
    options: dict[str, Any] = {option: "nonsense"}
    with pytest.raises(UnknownNameError, match="nonsense"):
        Rouge(**options)
