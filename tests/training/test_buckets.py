from __future__ import annotations

from collections import Counter

import pytest

from nlptasks.training.buckets import Part, Plan, mask, padded, width
from nlptasks.training.options import TrainingOptions

SIZES = [(1 + row * 7 % 60, 1 + row * 11 % 40) for row in range(200)]


def plan(*parts: Part, **options: object) -> Plan:
    return Plan.make(SIZES, parts or (Part(0, 200, 1.0),), TrainingOptions.model_validate({"epochs": 2, **options}))


def test_widths_are_few_and_not_far_from_the_lengths() -> None:
    widths = {length: width(length) for length in range(1, 1025)}
    assert all(length <= found for length, found in widths.items())
    assert all(found <= 1.25 * length for length, found in widths.items() if length > 16)
    assert len(set(widths.values())) < 40


def test_rows_are_filled_up_on_the_right_and_masked() -> None:
    assert padded([[5, 6], [7]], 0).tolist() == [[5, 6, 0, 0], [7, 0, 0, 0]]
    assert mask([[5, 6], [7]]).tolist() == [[1, 1, 0, 0], [1, 0, 0, 0]]


def test_every_epoch_takes_every_row_once() -> None:
    found = plan(batch_size=16)
    first, second = found.batches[: found.epochs[0]], found.batches[found.epochs[0] :]
    assert all(sorted(row for batch in epoch for row in batch) == list(range(200)) for epoch in (first, second))
    assert first != second
    assert found.batches == plan(batch_size=16).batches
    assert found.batches != plan(batch_size=16, seed=1).batches


def test_a_batch_holds_rows_of_like_length_and_no_more_tokens_than_it_may() -> None:
    for batch in plan(batch_tokens=512).batches:
        widths = [sum(map(width, SIZES[row])) for row in batch]
        assert len(batch) * max(widths) <= 512
    spread = [max(SIZES[row][0] for row in b) - min(SIZES[row][0] for row in b) for b in plan(batch_size=8).batches]
    assert sum(spread) / len(spread) < 8


def test_a_row_of_more_tokens_than_a_batch_is_a_batch_of_its_own() -> None:
    assert all(len(batch) == 1 for batch in plan(batch_tokens=4).batches)


@pytest.mark.parametrize(("weight", "times"), [(0.5, 25), (2.0, 100), (0.001, 1)])
def test_a_weight_is_the_share_of_a_file_that_an_epoch_takes(weight: float, times: int) -> None:
    found = plan(Part(0, 150, 1.0), Part(150, 200, weight), epochs=1)
    counts = Counter(row >= 150 for batch in found.batches for row in batch)
    assert counts == {False: 150, True: times}


def test_a_curriculum_begins_with_short_rows() -> None:
    found = plan(batch_size=8, curriculum=True)
    lengths = [sum(SIZES[batch[0]]) for batch in found.batches[: found.epochs[0]]]
    third = len(lengths) // 3
    assert sum(lengths[:third]) < 0.6 * sum(lengths[-third:])


def test_a_plan_ends_where_it_is_told_to_and_knows_its_epochs() -> None:
    found = plan(batch_size=16, max_steps=15)
    assert len(found.batches) == 15
    assert found.ends == {13, 15}
    assert found.epoch(13) == 1.0
    assert 1.0 < found.epoch(15) < 1.2
