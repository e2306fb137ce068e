"""What all metrics have in common."""

from __future__ import annotations

import copy
import pickle

import sacrebleu

from nlptasks.evaluation.scoring import score
from nlptasks.metrics.bleu import Bleu
from nlptasks.metrics.chrf import Chrf

TEXT = "the ferry leaves the harbour at noon"


def test_a_metric_can_be_pickled_and_copied_after_use() -> None:
    metric = Chrf(lang="en")
    first = metric.compute(predictions=[TEXT], references=[f"{TEXT} again"])
    for other in (pickle.loads(pickle.dumps(metric)), copy.copy(metric), metric):
        assert other.compute(predictions=[TEXT], references=[f"{TEXT} again"]) == first
        assert other.signature == metric.signature


def test_the_bleu_of_equal_texts_is_sacrebleus_to_the_last_digit_and_shown_as_100() -> None:
    value = Bleu(lang="en").compute(predictions=[TEXT], references=[TEXT])["bleu"]
    assert value == sacrebleu.corpus_bleu([TEXT], [[TEXT]]).score
    scores = score("translation", [TEXT], [TEXT], metrics="bleu", lang="en")
    assert scores.results["bleu"].value == value
    assert "| bleu | 100.00 | 100.00 to 100.00 | 0.00 | 1 |" in scores.to_markdown()
