"""What is asked of a metric."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from nlptasks.metrics.base import Metric
from nlptasks.testing.contracts.plugin import PluginContract, fail, require

if TYPE_CHECKING:
    from nlptasks.metrics.base import Statistics

Build = Callable[[str | None], Metric]
"""From the code of a language, None to detect it, to a metric."""

SENTENCES: Mapping[str, tuple[list[str], str]] = {
    "en": (
        [
            "The electric ferry crossed the harbour on Tuesday with forty passengers.",
            "Seven bridges were closed last winter because of the heavy snow.",
            "The council will decide about the new timetable in April.",
        ],
        "Nobody saw my grandmother's old bicycle again.",
    ),
    "zh": (
        ["电动渡轮星期二载着四十名乘客穿过港口。", "去年冬天因为大雪关闭了七座桥。", "市议会将在四月决定新的时刻表。"],
        "谁也没再见到奶奶那辆旧自行车。",
    ),
    "de": (
        [
            "Die elektrische Fähre überquerte am Dienstag den Hafen mit vierzig Fahrgästen.",
            "Sieben Brücken waren im letzten Winter wegen des Schnees gesperrt.",
            "Der Stadtrat entscheidet im April über den neuen Fahrplan.",
        ],
        "Niemand sah das alte Fahrrad meiner Großmutter jemals wieder.",
    ),
}
"""In three languages, sentences, and one that has nothing to do with them."""

LANGUAGES = pytest.mark.parametrize("lang", list(SENTENCES))


class MetricContract(PluginContract):
    """The checks of a metric. A subclass says its ``name``.

    ``options`` are the metric's own keyword arguments, ``columns`` a value for each further column it reads. ``best``
    are the scores of texts that equal their references; None means 100 for each part, and 0 for one of which less is
    better; {} says that a metric knows no best. Override the fixture ``build`` where the options come from others.
    """

    kind = "metric"
    options: ClassVar[Mapping[str, Any]] = {}
    columns: ClassVar[Mapping[str, Any]] = {}
    best: ClassVar[Mapping[str, float] | None] = None

    @pytest.fixture
    def build(self) -> Build:
        """What builds the metric for a language."""
        return lambda lang: self.target(lang=lang, **self.options)

    def test_it_declares_itself(self, build: Build) -> None:
        """It is an nlptasks.Metric with the name it is registered under, and a signature with name and version."""
        metric, registered = build("en"), self.entry.spec.name
        require(isinstance(metric, Metric), f"{type(metric).__name__} is no Metric: derive it from nlptasks.Metric")
        require(metric.name == registered, f"its name is {metric.name!r}: it is registered as {registered!r}")
        start = f"{metric.name}|v:{metric.version}"
        require(metric.signature.startswith(start), f"its signature {metric.signature!r} does not begin with {start!r}")
        require(metric.signature == build("en").signature, "its signature changes from one instance to another")

    @LANGUAGES
    def test_it_has_a_row_of_numbers_for_each_sample(self, lang: str, build: Build) -> None:
        """Statistics are an array of numbers, a row for each sample."""
        texts = _mixed(lang)
        found = self._statistics(build(lang), *texts)
        shape = getattr(found, "shape", None)
        right = shape is not None and len(shape) == 2 and shape[0] == len(texts[0]) and shape[1] > 0
        require(right, f"statistics has the shape {shape}: return an array of (samples, statistics)")
        import numpy as np

        require(found.dtype == np.float64, f"statistics are of type {found.dtype}: make them float64")
        require(np.isfinite(found).all(), "statistics hold NaN or infinity: leave out of a sum what is not there")

    @LANGUAGES
    def test_its_statistics_make_the_corpus_value(self, lang: str, build: Build) -> None:
        """The statistics of all samples aggregate to what compute gives for them."""
        predictions, references = _mixed(lang)
        metric = build(lang)
        whole = metric.aggregate(self._statistics(metric, predictions, references))
        named = isinstance(whole, dict) and bool(whole) and all(isinstance(v, float) for v in whole.values())
        require(named, f"aggregate gives {whole!r}: return a dict of floats by the name of the part")
        computed = metric.compute(predictions=predictions, references=references, **self._columns(predictions))
        _require_equal(computed, whole, "compute gives {0}, aggregate(statistics(...)) {1}: leave compute as it is")

    @LANGUAGES
    def test_a_sample_has_the_same_statistics_in_any_company(self, lang: str, build: Build) -> None:
        """A sample's row depends on that sample alone: intervals and comparisons draw rows anew."""
        import numpy as np

        predictions, references = _mixed(lang)
        metric = build(lang)
        together = self._statistics(metric, predictions, references)
        each = [self._statistics(metric, [p], [r]) for p, r in zip(predictions, references, strict=True)]
        same = all(np.allclose(row, one[0]) for row, one in zip(together, each, strict=True))
        require(same, "a sample's statistics change with its neighbours: count by sample, and combine in aggregate")
        forth, back = metric.aggregate(together), metric.aggregate(together[::-1])
        _require_equal(forth, back, "aggregate gives {0}, and {1} for the same rows in another order")

    @LANGUAGES
    def test_equal_texts_reach_its_best(self, lang: str, build: Build) -> None:
        """Texts that equal their references reach the best score, in English, Chinese and German, said or detected."""
        same, _ = SENTENCES[lang]
        for told in (lang, None):
            metric = build(told)
            scores = self._scores(metric, same, [[text] for text in same])
            for part, value in self._best(metric, scores).items():
                near = part in scores and abs(scores[part] - value) < 1e-6
                which = lang if told else f"{lang}, to be detected"
                require(
                    near, f"equal texts ({which}) score {part} = {scores.get(part)}, not {value}: mend it, or say best"
                )

    @LANGUAGES
    def test_other_texts_score_worse(self, lang: str, build: Build) -> None:
        """Texts that have nothing to do with their references score worse."""
        same, other = SENTENCES[lang]
        references = [[text] for text in same]
        metric = build(lang)
        best = self._best(metric, self._scores(metric, same, references))
        scores = self._scores(metric, [other] * len(same), references)
        for part, value in best.items():
            worse = scores[part] > value if part in metric.lower_is_better else scores[part] < value
            require(worse, f"a text about something else ({lang}) scores {part} = {scores[part]}: as good as the best")

    def test_an_empty_prediction_is_scored(self, build: Build) -> None:
        """A prediction without text is scored too: it is an answer that is wrong."""
        import math

        same, _ = SENTENCES["en"]
        scores = self._scores(build("en"), ["", *same[1:]], [[text] for text in same])
        odd = [part for part, value in scores.items() if not math.isfinite(value)]
        require(not odd, f"with an empty prediction {', '.join(odd)} is no number")

    def test_it_takes_lists_of_one_length_only(self, build: Build) -> None:
        """Predictions without as many references are a ValueError, never dropped."""
        metric = build("en")
        if not metric.reads_references:
            pytest.skip("it reads no references")
        same, _ = SENTENCES["en"]
        try:
            metric.statistics(same, [[same[0]]], **self._columns(same))
        except ValueError:
            return
        fail("it scores 3 predictions with 1 reference: raise ValueError (zip(..., strict=True))")

    def test_it_can_be_sent_to_another_process(self, build: Build) -> None:
        """It can be pickled after use, and scores the same then."""
        texts = _mixed("en")
        metric = build("en")
        first = self._scores(metric, *texts)
        try:
            other = pickle.loads(pickle.dumps(metric))
        except Exception as error:
            fail(f"it cannot be pickled ({error}): make what it holds when it is used")
        _require_equal(first, self._scores(other, *texts), "it scores {0}, its copy {1}")

    def test_it_prints_nothing(self, build: Build, capfd: pytest.CaptureFixture[str]) -> None:
        """Scoring prints nothing: only answers belong on stdout."""
        metric = build("en")
        capfd.readouterr()
        self._scores(metric, *_mixed("en"))
        printed = capfd.readouterr().out
        require(not printed, f"scoring prints {printed[:60]!r}: use logging.getLogger('nlptasks') instead")

    def _columns(self, predictions: list[str]) -> dict[str, list[Any]]:
        return {name: [value] * len(predictions) for name, value in self.columns.items()}

    def _statistics(self, metric: Metric, predictions: list[str], references: list[list[str]]) -> Statistics:
        return metric.statistics(predictions, references, **self._columns(predictions))

    def _scores(self, metric: Metric, predictions: list[str], references: list[list[str]]) -> dict[str, float]:
        return metric.aggregate(self._statistics(metric, predictions, references))

    def _best(self, metric: Metric, scores: Mapping[str, float]) -> Mapping[str, float]:
        if self.best is not None:
            best = self.best
        elif metric.reads_references:
            best = {
                part: 0.0 if part in metric.lower_is_better else 100.0 for part in scores if part not in metric.counts
            }
        else:
            best = {}
        if not best:
            pytest.skip("it knows no best score")
        return best


def _mixed(lang: str) -> tuple[list[str], list[list[str]]]:
    """Return predictions of every quality, with their references."""
    same, other = SENTENCES[lang]
    return [same[0], other, f"{same[2]} {other}"], [[same[0]], [same[1], same[0]], [same[2]]]


def _require_equal(first: Mapping[str, float], second: Mapping[str, float], mend: str) -> None:
    __tracebackhide__ = True
    equal = first.keys() == second.keys() and all(first[part] == pytest.approx(second[part]) for part in first)
    require(equal, mend.format(dict(first), dict(second)))
