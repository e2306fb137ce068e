from __future__ import annotations

import numpy as np
import pytest

from nlptasks.selection import FEATURES, Document
from nlptasks.selection.terms import terms

EN = "The ferry is new. The town likes the electric ferry. Somebody sold ice cream. The ferry is loud no more."
DE = "Die Fähre ist neu im Ort. Der Ort mag die elektrische Fähre. Jemand verkaufte daneben Eis. Die Fähre ist leise."
ZH = "渡轮是全新的。小镇喜欢这艘电动渡轮。有人在旁边卖冰淇淋。渡轮不再吵闹了。"


def feature(document: Document, name: str) -> list[float]:
    column: list[float] = document.features[:, FEATURES.index(name)].tolist()
    return column


@pytest.mark.parametrize("text", [EN, DE, ZH])
def test_what_shares_most_with_the_text_is_central_and_an_aside_is_not(text: str) -> None:
    document = Document.read(text)
    assert len(document.sentences) == 4
    centrality = feature(document, "centrality")
    assert min(centrality) == centrality[2]
    assert sum(centrality) / 4 == pytest.approx(1)


def test_a_query_draws_the_sentence_that_answers_it() -> None:
    assert feature(Document.read(EN), "query") == [0, 0, 0, 0]
    likeness = feature(Document.read(EN, "Who sold ice cream?"), "query")
    assert max(likeness) == likeness[2] > 1


def test_where_a_sentence_stands_is_told_in_two_ways() -> None:
    document = Document.read(EN)
    assert feature(document, "lead") == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])
    assert feature(document, "first of few") == [0.25, 0, 0, 0]


def test_a_long_text_weighs_what_is_central_more_than_a_short_one() -> None:
    short, long = (feature(Document.read(text), "centrality in a long text") for text in (EN, f"{EN}\n" * 10))
    assert max(short) < 0 < min(long)


@pytest.mark.parametrize("text", ["", "  \n", "**"])
def test_where_there_is_no_sentence_there_is_nothing_to_choose_from(text: str) -> None:
    assert Document.read(text).sentences == []


@pytest.mark.parametrize("text", ["One.", "?!", "😀", "只有一句。"])
def test_features_of_the_shortest_texts_are_numbers(text: str) -> None:
    document = Document.read(text)
    assert document.features.shape == (1, len(FEATURES))
    assert np.isfinite(document.features).all()


def test_length_is_told_in_words_or_characters() -> None:
    assert Document.read(EN).sizes[0] == 4
    assert Document.read(ZH).sizes[0] == 6


def test_terms_meet_across_endings_and_pair_chinese_characters() -> None:
    assert set(terms("The discoveries")) & set(terms("discovered"))
    assert terms("电动渡轮") == ["电动", "动渡", "渡轮"]
