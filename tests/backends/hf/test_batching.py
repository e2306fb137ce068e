from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from nlptasks.backends.hf.batching import batches, pad


@dataclass(frozen=True)
class Piece:
    name: int
    size: int
    group: str


PIECES = st.lists(st.builds(Piece, st.integers(), st.integers(1, 50), st.sampled_from("ab")))


@given(PIECES, st.integers(1, 120))
def test_batches_keep_groups_apart_and_the_bound(pieces: list[Piece], most: int) -> None:
    found = list(batches(pieces, most))
    assert sorted((p for batch in found for p in batch), key=repr) == sorted(pieces, key=repr)
    for batch in found:
        assert len({piece.group for piece in batch}) == 1
        assert len(batch) == 1 or len(batch) * max(piece.size for piece in batch) <= most


def test_rows_are_padded_on_the_side_asked_for() -> None:
    left, right = (pad([[5, 6, 7], [8]], 0, left=side, device="cpu") for side in (True, False))
    assert left["input_ids"].tolist() == [[5, 6, 7], [0, 0, 8]]
    assert left["attention_mask"].tolist() == [[1, 1, 1], [0, 0, 1]]
    assert right["input_ids"].tolist() == [[5, 6, 7], [8, 0, 0]]
    assert right["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
