"""A pair of files that a kill at any byte leaves mendable."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptasks.journal import Journal
from nlptasks.seal import sealed


def _journal(folder: Path) -> Journal:
    return Journal(folder / "out.jsonl", folder / "samples.jsonl")


def _line(index: int) -> tuple[int, bytes, dict[str, Any]]:
    return index, b'{"row": %d}\n' % index, {}


def _second(index: int) -> bytes:
    """The second line of a pair as it stands on disk."""
    first = _line(index)[1]
    return sealed(b'{"index": %d, "output_crc32": %d}\n' % (index, zlib.crc32(first)))


def _rows(folder: Path) -> list[int]:
    first = [json.loads(line)["row"] for line in (folder / "out.jsonl").read_bytes().splitlines()]
    second = [json.loads(line)["index"] for line in (folder / "samples.jsonl").read_bytes().splitlines()]
    assert first == second
    return first


@given(order=st.permutations(range(12)), data=st.data())
def test_a_cut_at_any_byte_loses_only_what_was_cut(
    order: list[int], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    journal = _journal(folder)
    journal.open(lambda line: True)
    for index in order:
        journal.append(*_line(index))
    journal.close()
    for name in ("out.jsonl", "samples.jsonl"):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: data.draw(st.integers(0, len(content)))])
    whole = min((folder / name).read_bytes().count(b"\n") for name in ("out.jsonl", "samples.jsonl"))

    kept: list[int] = []
    journal = _journal(folder)

    def keep(line: Mapping[str, Any]) -> bool:
        kept.append(line["index"])
        return True

    journal.open(keep)
    assert kept == order[:whole] == _rows(folder)
    for index in sorted(set(range(12)) - set(kept)):
        journal.append(*_line(index))
    journal.sort()
    journal.close()
    assert _rows(folder) == list(range(12))


def test_dropped_pairs_leave_both_files(tmp_path: Path) -> None:
    journal = _journal(tmp_path)
    journal.open(lambda line: True)
    for index in range(4):
        journal.append(*_line(index))
    journal.close()
    journal = _journal(tmp_path)
    journal.open(lambda line: line["index"] != 2)
    journal.close()
    assert _rows(tmp_path) == [0, 1, 3]


@pytest.mark.parametrize("moved_output", [False, True])
def test_a_rewrite_that_was_cut_short_in_place_is_completed(tmp_path: Path, moved_output: bool) -> None:
    """The scratch samples file has its name: the rewrite counts, whichever of the two moves was made."""
    old, new = [_line(index) for index in (1, 0)], [_line(index) for index in (0, 1)]
    (tmp_path / "samples.jsonl").write_bytes(b"".join(map(_second, (1, 0))))
    (tmp_path / "samples.jsonl.new").write_bytes(b"".join(map(_second, (0, 1))))
    (tmp_path / "out.jsonl").write_bytes(b"".join(line[1] for line in (new if moved_output else old)))
    if not moved_output:
        (tmp_path / "out.jsonl.new").write_bytes(b"".join(line[1] for line in new))
    journal = _journal(tmp_path)
    journal.open(lambda line: True)
    journal.close()
    assert _rows(tmp_path) == [0, 1]


def test_a_rewrite_that_was_cut_short_before_it_was_whole_is_forgotten(tmp_path: Path) -> None:
    lines = [_line(index) for index in (1, 0)]
    (tmp_path / "samples.jsonl").write_bytes(b"".join(map(_second, (1, 0))))
    (tmp_path / "out.jsonl").write_bytes(b"".join(line[1] for line in lines))
    (tmp_path / "out.jsonl.new").write_bytes(b'{"row"')
    (tmp_path / "samples.jsonl.part").write_bytes(b'{"index"')
    journal = _journal(tmp_path)
    journal.open(lambda line: True)
    journal.close()
    assert _rows(tmp_path) == [1, 0]


@pytest.mark.parametrize("change", [b"", b'{"row": 9}\n', b"\0" * 11])
def test_what_was_changed_by_hand_is_done_again(
    tmp_path: Path, change: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    journal = _journal(tmp_path)
    journal.open(lambda line: True)
    for index in range(4):
        journal.append(*_line(index))
    journal.close()
    lines = (tmp_path / "out.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "out.jsonl").write_bytes(lines[0] + change + b"".join(lines[2:]))
    journal = _journal(tmp_path)
    journal.open(lambda line: True)
    journal.close()
    assert _rows(tmp_path) == [0]
    assert "was changed" in caplog.text


def test_a_late_row_is_sorted_in(tmp_path: Path) -> None:
    journal = _journal(tmp_path)
    journal.open(lambda line: True)
    for index in [*range(1, 3000), 0]:
        journal.append(*_line(index))
    journal.sort()
    journal.close()
    assert _rows(tmp_path) == list(range(3000))
