"""What happens to machines: signals, disks that are full or cannot be written, clocks that go back, and company."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import Cli

ROWS = 20_000
FEW = 300
RUN = ["run", "text-generation", "-m", "echo", "-i", "in.jsonl", "-o"]


def write(folder: Path, rows: int) -> None:
    lines = (json.dumps({"id": f"r{number}", "prompt": f"Zeile {number} 今天"}) + "\n" for number in range(rows))
    (folder / "in.jsonl").write_text("".join(lines), "utf-8")


def whole(path: Path, rows: int) -> bool:
    """Whether an output has every row once, in order, with its answer."""
    found = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [row["prediction"] for row in found] == [f"Zeile {number} 今天" for number in range(rows)]


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "nlptasks", *words]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextmanager
def disk(folder: Path, size: str) -> Iterator[Path]:
    """A small file system of its own."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system takes a root who may")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_sigterm_stops_a_run_as_ctrl_c_does(tmp_path: Path, cli: Cli) -> None:
    write(tmp_path, ROWS)
    output = tmp_path / "out.jsonl"
    process = start(tmp_path, *RUN, "out.jsonl")
    while not output.exists() or output.read_bytes().count(b"\n") < FEW:
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "run the same command to go on" in said
    assert json.loads((tmp_path / "out.jsonl.run/run.json").read_text())["status"] == "cancelled"
    assert cli(*RUN, "out.jsonl").code == 0
    assert whole(output, ROWS)


def test_a_disk_that_cannot_be_written(tmp_path: Path, cli: Cli) -> None:
    write(tmp_path, FEW)
    with disk(tmp_path / "disk", "1m") as place:
        (place / "mine.jsonl").write_text("mine\n")
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        for words in ((*RUN, place / "out.jsonl"), (*RUN, place / "mine.jsonl", "--overwrite")):
            done = cli(*words)
            assert done.code == 1
            assert "Read-only" in done.err
            assert len(done.err.splitlines()) == 1
        assert (place / "mine.jsonl").read_text() == "mine\n"


@pytest.mark.parametrize("size", ["16k", "96k"])
def test_a_cache_on_a_full_disk_is_gone_on_without(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, size: str
) -> None:
    write(tmp_path, FEW)
    with disk(tmp_path / "disk", size) as place:
        monkeypatch.setenv("XDG_CACHE_HOME", str(place))
        done = cli(*RUN, "out.jsonl", "--cache")
        assert done.code == 0, done.err
        assert done.err.count("Going on without the cache") == 1
    assert whole(tmp_path / "out.jsonl", FEW)


def test_a_corrupt_cache_is_gone_on_without_until_it_is_cleared(tmp_path: Path, cli: Cli) -> None:
    write(tmp_path, FEW)
    assert cli(*RUN, "a.jsonl", "--cache").code == 0
    path = Path(json.loads(cli("cache", "info", "--json").out)["path"])
    for one in path.parent.glob(f"{path.name}-*"):
        one.unlink()
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 5000)
    done = cli(*RUN, "b.jsonl", "--cache")
    assert done.code == 0
    assert "nlptasks cache clear" in done.err
    assert whole(tmp_path / "b.jsonl", FEW)
    assert cli("cache", "clear").code == 0
    done = cli(*RUN, "c.jsonl", "--cache")
    assert (done.code, "without" in done.err) == (0, False)


def test_a_clock_that_goes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        textwrap.dedent("""
            import time
            now = [2e9]
            def back(scale=1):
                now[0] -= 3600
                return now[0] * scale
            time.time, time.time_ns = back, lambda: int(back(1e9))
        """)
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")])))
    write(tmp_path, FEW)
    for _ in range(2):
        process = start(tmp_path, *RUN, "out.jsonl", "--cache")
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    assert whole(tmp_path / "out.jsonl", FEW)
    run = json.loads((tmp_path / "out.jsonl.run/run.json").read_text())
    assert 0 < run["seconds"] < 60


def finished(processes: Sequence[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    return [(process.wait(60), process.communicate()[1]) for process in processes]


def test_two_that_begin_one_run_at_once(tmp_path: Path, cli: Cli) -> None:
    write(tmp_path, ROWS)
    (code, said), (other, heard) = sorted(finished([start(tmp_path, *RUN, "out.jsonl") for _ in range(2)]))
    assert code == 0, said
    assert (other == 1 and "another process" in heard) or (other == 0 and "resuming after" in said + heard)
    assert whole(tmp_path / "out.jsonl", ROWS)


def test_many_that_share_one_cache(tmp_path: Path) -> None:
    write(tmp_path, FEW)
    names = [f"out{number}.jsonl" for number in range(3)]
    for code, said in finished([start(tmp_path, *RUN, name, "--cache") for name in names]):
        assert (code, "without the cache" in said) == (0, False)
    assert all(whole(tmp_path / name, FEW) for name in names)
