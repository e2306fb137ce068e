from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlptasks import UnknownNameError
from nlptasks.metrics.distinct_n import DistinctN


def test_it_counts_distinct_words_and_pairs_in_each_text() -> None:
    metric = DistinctN()
    rows = metric.statistics(["No no no. No!", "Eins zwei", "好好好的", "", "Wort"], [[]] * 5)
    assert rows.tolist() == pytest.approx(
        np.array([[25, 100 / 3], [100, 100], [50, 200 / 3], [0, 0], [100, 0]]), abs=1e-9
    )
    assert metric.aggregate(rows[:2]) == pytest.approx({"distinct_1": 62.5, "distinct_2": 200 / 3})
    assert metric.signature == "distinct_n|v:1|tok:words|case:lower|mean:sample"


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_any_text_gets_a_score(text: str) -> None:
    score = DistinctN().compute(predictions=[text], references=[""])
    assert all(0 <= value <= 100 for value in score.values())


def test_an_unknown_language_is_one_line() -> None:
    with pytest.raises(UnknownNameError, match="Hafenisch"):
        DistinctN(lang="Hafenisch")
