"""Intervals and p-values: what must hold whatever the numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlptasks.evaluation.bootstrap import holm, paired, spreads
from tests.evaluation.numbers import Mean, Positive, Ratio

NUMBERS = st.lists(st.floats(0, 100, allow_subnormal=False), min_size=1, max_size=40)
FEW = settings(max_examples=15, deadline=None)


def column(values: list[float]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array(values, dtype=np.float64).reshape(-1, 1)


@FEW
@given(NUMBERS)
def test_an_interval_lies_among_the_numbers_and_is_the_same_every_time(values: list[float]) -> None:
    found = spreads(Mean().aggregate, column(values))["mean"]
    assert min(values) - 1e-9 <= found.ci95[0] <= found.ci95[1] <= max(values) + 1e-9
    assert found.stderr >= 0
    assert found == spreads(Mean().aggregate, column(values))["mean"]


@FEW
@given(NUMBERS, st.randoms())
def test_the_order_of_rows_changes_nothing(values: list[float], random: np.random.Generator) -> None:
    shuffled = [*values]
    random.shuffle(shuffled)
    other = [100 - value for value in values]
    for metric in (Mean(), Ratio()):
        assert spreads(metric.aggregate, column(values)) == spreads(metric.aggregate, column(shuffled))
    order = np.random.default_rng(len(values)).permutation(len(values))
    first, second = column(values), column(other)
    assert paired(Mean().aggregate, first, second) == paired(Mean().aggregate, first[order], second[order])


def test_the_interval_is_that_of_theory_where_there_is_one() -> None:
    values = np.random.default_rng(1).normal(50, 10, 400)
    found = spreads(Mean().aggregate, column(values.tolist()))["mean"]
    expected = values.std(ddof=1) / 20
    assert found.stderr == pytest.approx(expected, rel=0.1)
    assert found.ci95 == pytest.approx((values.mean() - 1.96 * expected, values.mean() + 1.96 * expected), abs=0.15)


def test_a_figure_that_some_resamples_lack_still_has_an_interval() -> None:
    found = spreads(Positive().aggregate, column([0, 0, 7]))
    assert found["positive"].ci95 == (7, 7)


@FEW
@given(NUMBERS)
def test_a_system_does_not_differ_from_itself(values: list[float]) -> None:
    found = paired(Ratio().aggregate, column(values), column(values))["ratio"]
    assert (found.spread.ci95, found.p_bootstrap, found.p_randomization) == ((0, 0), 1, 1)


def test_a_planted_difference_is_found_and_noise_is_not() -> None:
    random = np.random.default_rng(3)
    first = random.normal(50, 10, 300)
    noise = first + random.normal(0, 5, 300)
    noise -= noise.mean() - first.mean()
    better = paired(Mean().aggregate, column(first.tolist()), column((noise + 2).tolist()))["mean"]
    assert 0 < better.spread.ci95[0] < 2 < better.spread.ci95[1]
    assert max(better.p_bootstrap, better.p_randomization) < 0.01
    same = paired(Mean().aggregate, column(first.tolist()), column(noise.tolist()))["mean"]
    assert same.spread.ci95[0] < 0 < same.spread.ci95[1]
    assert min(same.p_bootstrap, same.p_randomization) > 0.5


def test_approximate_randomization_counts_exchanges() -> None:
    """Of the 8 ways to exchange 3 rows that all differ by 1, 2 part the systems by 1 or more."""
    found = paired(Mean().aggregate, column([1, 2, 3]), column([2, 3, 4]))["mean"]
    assert found.p_randomization == pytest.approx(2 / 8, abs=0.02)


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_keeps_the_order_and_only_raises(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, corrected, strict=True))
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert [corrected[place] for place in order] == sorted(corrected)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_rows_of_one_sample_are_drawn_together() -> None:
    values = np.random.default_rng(5).normal(50, 10, 200).tolist()
    copies = [value for value in values for _ in range(4)]
    samples = [number for number in range(200) for _ in range(4)]
    once, again = spreads(Mean().aggregate, column(values)), spreads(Mean().aggregate, column(copies), samples)
    assert again["mean"].stderr == pytest.approx(once["mean"].stderr, rel=0.1)
    assert spreads(Mean().aggregate, column(copies))["mean"].stderr < 0.6 * once["mean"].stderr
    better = [value + noise for value, noise in zip(values, np.random.default_rng(6).normal(0.4, 5, 200), strict=True)]
    pair = paired(Mean().aggregate, column(values), column(better))["mean"]
    four = [value for value in better for _ in range(4)]
    same = paired(Mean().aggregate, column(copies), column(four), samples)["mean"]
    assert same.p_randomization == pytest.approx(pair.p_randomization, abs=0.05)
    assert same.p_bootstrap == pytest.approx(pair.p_bootstrap, abs=0.05)


@FEW
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=30), st.randoms())
def test_the_order_of_rows_and_samples_changes_nothing(
    rows: list[tuple[int, int]], random: np.random.Generator
) -> None:
    shuffled = [*rows]
    random.shuffle(shuffled)
    one, other = (
        spreads(Ratio().aggregate, column([float(v) for v, _ in each]), [s for _, s in each])
        for each in (rows, shuffled)
    )
    assert one == other
