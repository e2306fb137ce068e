"""A language model as judge: a rating of each answer, or a comparison with another system's answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from nlptasks import config as settings
from nlptasks.backends.base import Answer, Backend, warn_once
from nlptasks.backends.cached import cache_file
from nlptasks.backends.factory import BackendFactory, wrapped
from nlptasks.errors import BackendError, ConfigError, UnsupportedError
from nlptasks.metrics.base import Metric
from nlptasks.metrics.verdicts import Case, as_text, prompts, rating, winner
from nlptasks.records import Completion, GenerationConfig, Message, Request

if TYPE_CHECKING:
    from nlptasks.metrics.base import Statistics

CONTEXT = ("document", "documents", "context", "source", "messages", "prompt", "query", "question", "message")
BASELINE = "baseline"
WIN, TIE, LOSS, INCONSISTENT = range(4)
OUTCOMES: Mapping[tuple[Any, ...], Any] = {("A", "B"): WIN, ("B", "A"): LOSS, ("C", "C"): TIE}
"""What two verdicts on one pair, with our answer first and then second, come to; anything else is inconsistent."""


class LlmJudge(Metric):
    """A model's judgement of each answer, after Zheng et al., 2023 (MT-bench, https://arxiv.org/abs/2306.05685).

    ``judge`` is ``provider/model``, or from Python a Backend. Each answer is rated from 1 to 10, and ``llm_judge`` is
    the mean rating times 10. With ``pairwise`` it is compared with the text in the column ``baseline``, in both
    orders: ``llm_judge`` is then the share of wins plus half that of ties, and two verdicts that disagree are a tie,
    counted in ``judge_inconsistent`` too. The judge sees the references, where there are any, and the columns
    that say what was asked. A sample without a readable verdict is left out of the score and counted in
    ``judge_failed``; where all are, there is no score. All parts are percentages.
    """

    name = "llm_judge"
    columns = (*CONTEXT, BASELINE)
    reads_references = False
    lower_is_better = frozenset({"judge_losses", "judge_inconsistent", "judge_failed"})
    citation = "Zheng et al. 2023: Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena"

    def __init__(
        self,
        *,
        lang: str | None = None,
        judge: str | Backend | None = None,
        pairwise: bool = False,
        max_new_tokens: int = 1024,
    ) -> None:
        super().__init__(lang=lang)
        if not judge:
            raise ConfigError("llm_judge needs a judge: name a model, such as --judge openai/gpt-4o-mini.")
        self.judge: str | Backend = judge
        self.pairwise = pairwise
        self.max_new_tokens = max_new_tokens

    def statistics(
        self, predictions: Sequence[str], references: Sequence[Sequence[str]], **columns: Sequence[Any]
    ) -> Statistics:
        """Return ten times the rating and whether there is one; in pairwise mode win, tie, loss, inconsistent.

        Raises:
            ValueError: there is nothing to judge, or a column is missing or of another length.
            BackendError: the judge cannot be loaded, or answers nothing at all.
        """
        given = {name: values for name, values in columns.items() if values is not None}
        for name, values in (("references", references), *given.items()):
            if len(values) != len(predictions):
                raise ValueError(f"llm_judge: {len(predictions)} predictions, but {len(values)} values of {name}")
        if not predictions:
            raise ValueError("llm_judge: there is nothing to score")
        if self.pairwise and BASELINE not in given:
            raise ValueError("llm_judge: pairwise needs another system's answers in a column 'baseline'")
        cases = list(_cases(references, given))
        if self.pairwise:
            return self._compare(cases, predictions, [as_text(text) for text in given[BASELINE]])
        return self._rate(cases, predictions)

    def aggregate(self, statistics: Statistics) -> dict[str, float]:
        if not self.pairwise:
            total, judged = statistics.sum(axis=0).tolist()
            failed = 100 * (len(statistics) - judged) / len(statistics)
            return {**({"llm_judge": total / judged} if judged else {}), "judge_failed": failed}
        win, tie, loss, inconsistent = statistics.sum(axis=0).tolist()
        judged = win + tie + loss
        failed = 100 * (len(statistics) - judged) / len(statistics)
        if not judged:
            return {"judge_failed": failed}
        return {
            "llm_judge": (win + tie / 2) * 100 / judged,
            "judge_wins": win * 100 / judged,
            "judge_ties": tie * 100 / judged,
            "judge_losses": loss * 100 / judged,
            "judge_inconsistent": inconsistent * 100 / judged,
            "judge_failed": failed,
        }

    @property
    def signature_parts(self) -> Mapping[str, str]:
        mode = "pairwise" if self.pairwise else "single"
        judge = self.judge if isinstance(self.judge, str) else dict(self.judge.identity()).get("model", "backend")
        return {"judge": judge, "mode": mode, "prompt": prompts(mode).digest()[:8]}

    def _rate(self, cases: Sequence[Case], predictions: Sequence[str]) -> Statistics:
        asked = [case.single(text) for case, text in zip(cases, predictions, strict=True)]
        ratings = [rating(text) for text in self._answers(asked)]
        _report(ratings)
        return np.array([(0, 0) if number is None else (10 * number, 1) for number in ratings], dtype=np.float64)

    def _compare(self, cases: Sequence[Case], ours: Sequence[str], theirs: Sequence[str]) -> Statistics:
        pairs = list(zip(cases, ours, theirs, strict=True))
        asked = [case.pairwise(our, their) for case, our, their in pairs]
        asked += [case.pairwise(their, our) for case, our, their in pairs]
        verdicts = [winner(text) for text in self._answers(asked)]
        _report(verdicts)
        rows = np.zeros((len(pairs), 4))
        for row, both in enumerate(zip(verdicts[: len(pairs)], verdicts[len(pairs) :], strict=True)):
            if None not in both:
                rows[row, OUTCOMES.get(both, [TIE, INCONSISTENT])] = 1
        return rows

    def _answers(self, asked: Sequence[tuple[Message, ...]]) -> list[str]:
        """Return the judge's words, "" where it gave none."""
        backend = self._build()
        if refusal := backend.refusal("chat"):
            raise UnsupportedError(f"llm_judge: {refusal}")
        with backend if isinstance(self.judge, str) else nullcontext(backend):  # a Backend's owner closes it
            context = backend.limits().context
            most = min(self.max_new_tokens, context // 4) if context else self.max_new_tokens
            config = GenerationConfig(max_new_tokens=most)
            answers = backend.complete([Request(messages, task="chat", config=config) for messages in asked])
        return _texts(answers)

    def _build(self) -> Backend:
        if isinstance(self.judge, Backend):
            return wrapped(self.judge)
        config = settings.load()
        options = config.backends.get(self.judge.partition("/")[0], {})
        return BackendFactory(self.judge, options, cache_file() if config.cache else None).build()


def _cases(references: Sequence[Sequence[str]], columns: Mapping[str, Sequence[Any]]) -> Iterator[Case]:
    names = [name for name in CONTEXT if name in columns]
    for row, each in enumerate(references):
        context = {name: as_text(columns[name][row]) for name in names}
        yield Case(
            {name: text for name, text in context.items() if text.strip()}, [text for text in each if text.strip()]
        )


def _texts(answers: Sequence[Answer]) -> list[str]:
    failures = [answer for answer in answers if not isinstance(answer, Completion)]
    if len(failures) == len(answers):
        raise BackendError(f"llm_judge: the judge answered nothing: {failures[0].message}")
    if failures:
        warn_once(f"llm_judge: {len(failures)} of {len(answers)} requests failed, the first: {failures[0].message}")
    return [answer.text if isinstance(answer, Completion) else "" for answer in answers]


def _report(verdicts: Sequence[object]) -> None:
    if unread := verdicts.count(None):
        warn_once(f"llm_judge: {unread} of {len(verdicts)} answers of the judge hold no verdict: try a stronger one.")
