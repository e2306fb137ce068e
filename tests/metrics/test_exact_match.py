from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlptasks.metrics.exact_match import ExactMatch
from tests.metrics.samples import LANGUAGES, sentence


@pytest.mark.parametrize("lang", LANGUAGES)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_the_same_sentence_scores_best(lang: str, data: st.DataObject) -> None:
    text = data.draw(sentence(lang))
    for metric in (ExactMatch(), ExactMatch(normalize=True), ExactMatch(lang=lang, normalize=True)):
        assert metric.aggregate(metric.statistics([text], [["?", text]])) == {"exact_match": 100}


def test_every_character_counts_unless_normalized() -> None:
    texts = {"predictions": ["The ferry.", "ferry", ""], "references": [["bus", "ferry"], ["ferry"], ["ferry"]]}
    assert ExactMatch().compute(**texts) == pytest.approx({"exact_match": 100 / 3})
    metric = ExactMatch(lang="en", normalize=True)
    assert metric.compute(**texts) == pytest.approx({"exact_match": 200 / 3})
    assert metric.signature == "exact_match|v:1|lang:en|norm:squad|refs:max"
    assert ExactMatch().signature == "exact_match|v:1|norm:none|refs:max"


@settings(max_examples=50, deadline=None)
@given(prediction=st.text(), reference=st.text())
def test_any_text_gets_a_score(prediction: str, reference: str) -> None:
    for normalize in (False, True):
        assert ExactMatch(normalize=normalize).statistics([prediction], [[reference]]) in (0, 100)


def test_no_reference_is_one_line() -> None:
    with pytest.raises(ValueError, match=r"^exact_match: row 1 has no reference; .*"):
        ExactMatch().statistics(["a"], [[]])
