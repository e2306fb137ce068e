"""Perplexity, from the log-likelihoods that a model gave to texts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nlptasks.metrics.base import Metric

if TYPE_CHECKING:
    from nlptasks.metrics.base import Statistics

MOST_NATS = 300.0
"""A perplexity above e^300 is given as that: it says no more, and its square is still a number."""


class Perplexity(Metric):
    """How surprised a model was by the texts, over what the task ``loglikelihood`` gives for each; lower is better.

    The parts are no percentages: ``perplexity`` is exp(-sum of log-likelihoods / sum of tokens), which compares only
    models of one tokenizer; ``word_perplexity`` and ``byte_perplexity`` divide by words and UTF-8 bytes instead,
    ``bits_per_byte`` is the base-2 logarithm of the latter. These three are defined as in EleutherAI's
    lm-evaluation-harness (https://github.com/EleutherAI/lm-evaluation-harness). References are not looked at.
    """

    name = "perplexity"
    columns = ("loglikelihood", "tokens", "words", "bytes")
    reads_references = False
    lower_is_better = frozenset({"perplexity", "word_perplexity", "byte_perplexity", "bits_per_byte"})

    def statistics(
        self, predictions: Sequence[str], references: Sequence[Sequence[str]], **columns: Sequence[Any]
    ) -> Statistics:
        """Return log-likelihood (nats), tokens, words and bytes of every text.

        Raises:
            ValueError: there is nothing to score, or a column is missing, of another length or holds what cannot be.
        """
        if not predictions:
            raise ValueError("perplexity: there is nothing to score")
        rows = np.empty((len(predictions), len(self.columns)), dtype=np.float64)
        for position, name in enumerate(self.columns):
            values = columns.get(name)
            if values is None:
                raise ValueError(f"perplexity: no column {name!r}: score the outputs of the task loglikelihood")
            if len(values) != len(predictions):
                raise ValueError(f"perplexity: {len(predictions)} texts, but {len(values)} values of {name!r}")
            rows[:, position] = [_number(name, row, value) for row, value in enumerate(values, start=1)]
        return rows

    def aggregate(self, statistics: Statistics) -> dict[str, float]:
        loglikelihood, *units = statistics.sum(axis=0)
        by_token, by_word, by_byte = (min(float(abs(loglikelihood) / unit), MOST_NATS) for unit in units)
        return {
            "perplexity": math.exp(by_token),
            "word_perplexity": math.exp(by_word),
            "byte_perplexity": math.exp(by_byte),
            "bits_per_byte": by_byte / math.log(2),
        }


def _number(name: str, row: int, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"perplexity: row {row} has no number in {name!r}: {value!r}") from None
    if name == "loglikelihood" and number <= 0:  # not so for NaN
        return number
    if name != "loglikelihood" and 1 <= number < np.inf:
        return number
    wanted = "at most 0" if name == "loglikelihood" else "at least 1"
    raise ValueError(f"perplexity: {name!r} of row {row} must be {wanted}, not {value!r}")
