from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlptasks import UnknownNameError
from nlptasks.metrics.length import Length


def test_words_are_characters_where_the_script_has_no_spaces() -> None:
    references = ["", ""]
    assert Length().compute(predictions=["Die Fähre ist leise.", "渡轮"], references=references)["length_words"] == 3
    score = Length(unit="characters").compute(predictions=["Die Fähre.", "渡轮"], references=references)
    assert score["length_characters"] == 6


def test_compression_compares_with_the_document_in_any_of_its_forms() -> None:
    metric = Length()
    documents = ["one two three four", ["five six", "seven"], [{"name": "a", "text": "eight"}], None]
    rows = metric.statistics(["one two", "six", "", "unread words"], [[]] * 4, document=documents)
    assert metric.aggregate(rows)["compression_ratio"] == pytest.approx(8 / 3)
    assert "compression_ratio" not in metric.aggregate(rows[[2, 3]])  # nothing was predicted, nothing compared


def test_truncation_is_a_share_of_the_rows_that_tell() -> None:
    metric = Length()
    rows = metric.statistics(["a", "b", "c"], [[]] * 3, truncated=[True, False, None])
    assert metric.aggregate(rows)["truncated"] == 50
    assert "truncated" not in metric.aggregate(metric.statistics(["a"], [[]]))


def test_repetition_is_the_share_of_4_grams_seen_before() -> None:
    score = Length().compute(predictions=["la la la la la la", "one two three four five", "la la"], references=[""] * 3)
    assert score["repetition"] == pytest.approx((200 / 3 + 0 + 0) / 3)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(), min_size=1, max_size=3), st.text())
def test_any_text_gets_a_length(predictions: list[str], document: str) -> None:
    many = len(predictions)
    columns = {"document": [document] * many, "truncated": [False] * many}
    score = Length().compute(predictions=predictions, references=[""] * many, **columns)
    assert all(value >= 0 for value in score.values())
    assert score["repetition"] <= 100


def test_the_signature_names_the_unit() -> None:
    assert Length(unit="characters").signature == "length|v:1|unit:characters|repetition:4-grams"


def test_what_cannot_be_measured_is_one_line() -> None:
    with pytest.raises(ValueError, match=r"^length: no text in the document 7; name another column$"):
        Length().statistics(["a"], [[]], document=[7])
    with pytest.raises(UnknownNameError, match="tokens"):
        Length(unit="tokens")
