"""``runs report``: the path of a page on stdout, or one line that says why not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import Cli


@pytest.fixture
def two(here: Cli, tmp_path: Path) -> tuple[str, str]:
    """Two runs on the same data, one with its scores and one without."""
    rows = [
        {
            "id": f"r{n}",
            "source": f"Good morning {n}",
            "target": f"Guten Morgen {n}",
            "target_lang": "de",
            "half": n % 2,
        }
        for n in range(6)
    ]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert here("eval", "translation", "-m", "echo", "--data", "in.jsonl", "-o", "scored").code == 0
    assert here("run", "translation", "-m", "echo", "-i", "in.jsonl", "-o", "plain.jsonl").code == 0
    return "scored", "plain.jsonl"


def test_the_path_of_the_page_is_printed(here: Cli, tmp_path: Path, two: tuple[str, str]) -> None:
    done = here("runs", "report", two[0])
    assert (done.code, done.out, done.err) == (0, f"{Path('scored/report.html')}\n", "")
    page = (tmp_path / "scored/report.html").read_text("utf-8")
    value = json.loads((tmp_path / "scored/run.json").read_text("utf-8"))["results"]["chrf"]["value"]
    assert f"<b>{value:.2f}</b>" in page
    again = here("runs", "report", two[1])  # what it was not scored with is measured now
    assert (again.code, again.out) == (0, f"{Path('plain.jsonl.run/report.html')}\n")
    assert f"<b>{value:.2f}</b>" in (tmp_path / "plain.jsonl.run/report.html").read_text("utf-8")
    both = here("runs", "report", *two, "--by", "half", "-o", "both.html")
    assert (both.code, both.out) == (0, "both.html\n")
    page = (tmp_path / "both.html").read_text("utf-8")
    assert 'id="differences"' in page
    assert 'id="groups"' in page
    assert here("runs", "list", ".").out.count("\n") == 2


def test_what_cannot_be_done_is_one_line(here: Cli, tmp_path: Path, two: tuple[str, str]) -> None:
    for arguments, said in (
        (["nowhere"], "nowhere is no run"),
        ([two[0], "-o", "in.jsonl"], "in.jsonl exists and is no report"),
        ([two[0], "-o", "scored"], "Is a directory"),
        ([two[0], "--by", "colour"], "Unknown column 'colour'"),
    ):
        done = here("runs", "report", *arguments)
        assert (done.code != 0, done.out, done.err.count("\n")) == (True, "", 1)
        assert said in done.err
    assert here("runs", "report").code == 2
