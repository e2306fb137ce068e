"""Exact match and F1 of answers, by the rules that results in each language are quoted with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nlptasks.metrics import _answers
from nlptasks.metrics._shared import LanguageMetric, one_of, paired, primary

if TYPE_CHECKING:
    from nlptasks.metrics.base import Statistics


class AnswerMetric(LanguageMetric):
    """A metric that compares answers by published rules.

    Args:
        lang: language of the answers, None to detect it.
        rules: ``squad``, ``mlqa``, ``cmrc`` or ``words`` instead of the language's own: English ``squad``,
            Chinese ``cmrc``, the other languages of MLQA ``mlqa``, all else ``words``.

    Raises:
        UnknownNameError: there are no such rules.
    """

    def __init__(self, *, lang: str | None = None, rules: str | None = None) -> None:
        super().__init__(lang=lang)
        self.rules = rules and one_of("rules", rules, _answers.RULES)

    @property
    def signature_parts(self) -> Mapping[str, str]:
        chosen = self._rule_name(primary(self._scored_in)) if self._scored_in else self.rules
        return {**super().signature_parts, "rules": chosen or "auto", "refs": "max"}

    def rules_for(self, references: Sequence[Sequence[str]]) -> _answers.Rules:
        """Return the rules to compare answers in the language of ``references`` by."""
        lang = self.language(references)
        return _answers.rules(self._rule_name(lang), lang)

    def _rule_name(self, lang: str) -> str:
        return self.rules or _answers.default_rules(lang)


class Squad(AnswerMetric):
    """SQuAD 1.1's exact match and F1, of several references the best, with the rules of each language.

    English is scored as by the official script. Chinese is scored as by CMRC 2018's, unless ``rules`` says otherwise.
    """

    name = "squad"
    unanswerable = "squad_v2"
    citation = "Rajpurkar et al. (2016), SQuAD: 100,000+ Questions, https://aclanthology.org/D16-1264"

    def statistics(
        self, predictions: Sequence[str], references: Sequence[Sequence[str]], **columns: Sequence[Any]
    ) -> Statistics:
        """Return exact match and F1 (0-100) for each sample.

        Raises:
            ValueError: a prediction has no reference; ``squad_v2`` takes questions without an answer.
        """
        rows = paired(self.name, predictions, references)
        rules = self.rules_for(references)
        scores = [
            [max(rules.exact(prediction, text) for text in texts), max(rules.f1(prediction, text) for text in texts)]
            for prediction, texts in rows
        ]
        return 100 * np.array(scores, dtype=np.float64).reshape(-1, 2)

    def aggregate(self, statistics: Statistics) -> dict[str, float]:
        exact, f1 = statistics.mean(axis=0).tolist()
        return {"exact_match": exact, "f1": f1}
