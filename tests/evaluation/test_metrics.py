"""From what a user writes to metrics."""

from __future__ import annotations

import pytest

from nlptasks.errors import ConfigError, UnknownNameError
from nlptasks.evaluation.metrics import choose
from nlptasks.metrics.chrf import Chrf
from nlptasks.metrics.rouge import Rouge


def test_names_and_options_become_metrics_in_a_language() -> None:
    rouge, chrf = choose("rouge:multi=mean, chrf:word_order=2")
    assert (rouge.label, chrf.label) == ("rouge:multi=mean", "chrf:word_order=2")
    built, other = rouge.build("de"), chrf.build(None)
    assert isinstance(built, Rouge)
    assert (built.multi, built.lang) == ("mean", "de")
    assert isinstance(other, Chrf)
    assert other.word_order == 2


def test_a_metric_may_come_from_python_and_keeps_its_own_language() -> None:
    [named] = choose([Rouge(lang="zh")])
    assert named.build("de").lang == "zh"
    [free] = choose([Rouge()])
    assert free.build("de").lang == "de"


def test_the_same_name_twice_is_one_metric() -> None:
    assert [one.label for one in choose("rouge,rouge,chrf")] == ["rouge", "chrf"]


def test_a_judge_and_an_encoder_add_their_metrics() -> None:
    found = choose("rouge,llm_judge:pairwise=true", judge="echo", encoder="hf/none:part")
    assert [one.label for one in found] == ["rouge", "llm_judge:pairwise=true", "embedding_similarity"]
    assert vars(found[1].build(None))["judge"] == "echo"
    assert vars(found[2].build(None))["encoder"] == "hf/none:part"


@pytest.mark.parametrize(
    ("wanted", "error", "words"),
    [
        ("rogue", UnknownNameError, "Did you mean 'rouge'?"),
        ("rouge:multy=max", UnknownNameError, "Did you mean 'multi'?"),
        ("rouge:multi=median", UnknownNameError, "Choose from max, mean"),
        ("chrf:word_order=two", ConfigError, "chrf:word_order=two: Input should be a valid integer"),
        ("llm_judge", ConfigError, "--judge"),
        ("", ConfigError, "--metrics"),
    ],
)
def test_a_mistake_is_told(wanted: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words.replace("?", r"\?")):
        [one.build(None) for one in choose(wanted)]
