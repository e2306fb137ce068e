"""Runs on a cluster of two nodes: the rows are those of one machine, whatever happens on the way."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Tiny
from tests.support import Cli

pytest.importorskip("ray", reason="runs on a cluster need the extra: pip install 'nlptasks[ray]'")

SLOW = Path(__file__).with_name("slow_backend.py")
ROWS = 2000
ENOUGH = 300
"""Rows that are finished before something is disturbed."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes on this machine, each with a core to its name."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    yield cluster
    cluster.shutdown()


@pytest.fixture
def slow(cluster: Any) -> Sequence[str]:
    """The arguments of a run of the slow backend on the cluster, whose two workers begin together."""
    return [*local(), "--meet", "2", "--engine", "ray", "--address", cluster.address]


def local() -> list[str]:
    return ["--plugin-file", str(SLOW), "run", "summarization", "-m", "slow", "-i", "in.jsonl"]


def write(folder: Path, rows: int = ROWS, **more: str) -> None:
    """Write samples; ``more`` are texts by the number of their row."""
    texts = {f"row{number}": f"Zeile {number}: 你好, wie geht es?" for number in range(rows)} | more
    lines = [json.dumps({"id": name, "document": text}) + "\n" for name, text in texts.items()]
    (folder / "in.jsonl").write_text("".join(lines), "utf-8")


def processes(run: Path) -> set[int]:
    """Return which processes answered a run."""
    lines = (json.loads(line) for line in (run / "samples.jsonl").read_text("utf-8").splitlines())
    return {exchange["answer"]["data"]["process"] for line in lines for exchange in line["exchanges"]}


def begin(arguments: Sequence[str], output: Path) -> subprocess.Popen[str]:
    """Start a run, and return when enough of its rows are written."""
    command = [sys.executable, "-m", "nlptasks", *arguments, "-o", output.name]
    running = subprocess.Popen(command, cwd=output.parent, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not output.exists() or output.read_bytes().count(b"\n") < ENOUGH:
        if time.monotonic() > end or running.poll() is not None:
            running.kill()
            pytest.fail(running.communicate()[1])
        time.sleep(0.05)
    return running


def test_rows_are_those_of_one_machine(cli: Cli, tmp_path: Path, slow: Sequence[str]) -> None:
    write(tmp_path)
    for arguments, name in ((local(), "one.jsonl"), (slow, "two.jsonl")):
        outcome = cli(*arguments, "-o", name)
        assert outcome.code == 0, outcome.err
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
    assert len(processes(tmp_path / "two.jsonl.run")) == 2
    one, two = (json.loads((tmp_path / f"{name}.jsonl.run/run.json").read_text()) for name in ("one", "two"))
    for part in ("fingerprint", "counts", "prompt_tokens", "completion_tokens", "environment", "status"):
        assert one[part] == two[part]
    again = cli(*slow, "-o", "one.jsonl")
    assert again.code == 0, "a run of one machine is taken up by the cluster"
    assert "resuming after 2000" in again.err


def test_a_node_may_die(tmp_path: Path, cli: Cli, slow: Sequence[str], cluster: Any) -> None:
    write(tmp_path)
    running = begin(slow, tmp_path / "out.jsonl")
    [node] = cluster.worker_nodes
    cluster.remove_node(node, allow_graceful=False)
    try:
        _, said = running.communicate(timeout=120)
    finally:
        cluster.add_node(num_cpus=1)
    assert running.returncode == 0, said
    assert "A worker was lost" in said
    assert cli(*local(), "-o", "one.jsonl").code == 0
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "out.jsonl").read_bytes()


def test_the_process_that_asks_may_be_killed(tmp_path: Path, cli: Cli, slow: Sequence[str]) -> None:
    write(tmp_path)
    running = begin(slow, tmp_path / "out.jsonl")
    running.kill()
    running.communicate()
    outcome = cli(*slow, "-o", "out.jsonl")
    assert outcome.code == 0, outcome.err
    assert int(outcome.err.partition("resuming after ")[2].split()[0]) >= ENOUGH
    assert cli(*local(), "-o", "one.jsonl").code == 0
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "out.jsonl").read_bytes()


def test_a_row_that_ends_workers_fails_alone(tmp_path: Path, cli: Cli, slow: Sequence[str]) -> None:
    write(tmp_path, 100, row50="poison")
    outcome = cli(*slow, "-o", "out.jsonl")
    assert outcome.code == 3, outcome.err
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert len(rows) == 100
    assert [row["id"] for row in rows if "error" in row] == ["row50"]


def test_a_model_of_the_real_family(tmp_path: Path, cli: Cli, cluster: Any, tiny: Tiny) -> None:
    write(tmp_path, 40)
    arguments = ["run", "summarization", "-m", f"hf/{tiny('llama')}", "-i", "in.jsonl", "--max-new-tokens", "12"]
    assert cli(*arguments, "-o", "one.jsonl").code == 0
    outcome = cli(*arguments, "-o", "two.jsonl", "--engine", "ray", "--address", cluster.address)
    assert outcome.code == 0, outcome.err
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()


def test_scores_are_those_of_one_machine(tmp_path: Path, cli: Cli, cluster: Any) -> None:
    lines = [{"document": f"Satz {number} über das Wetter.", "summary": f"Satz {number}."} for number in range(60)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    arguments = ["eval", "summarization", "-m", "echo", "-d", "in.jsonl", "--metrics", "rouge", "--json"]
    one = cli(*arguments, "-o", "one")
    two = cli(*arguments, "-o", "two", "--engine", "ray", "--address", cluster.address, "--workers", 2)
    assert two.code == 0, two.err
    assert json.loads(one.out)["results"] == json.loads(two.out)["results"]


def test_guards_stay_with_the_process_that_asks(tmp_path: Path, cli: Cli, slow: Sequence[str]) -> None:
    (tmp_path / "hide.py").write_text(
        "from nlptasks import hookimpl\n"
        "@hookimpl\n"
        "def before_generate(request):\n"
        "    return request.map_text(lambda text: text.replace('Anna', 'X')), None\n",
        "utf-8",
    )
    write(tmp_path, 20, row7="Anna lacht.")
    outcome = cli("--plugin-file", "hide.py", *slow, "-o", "out.jsonl")
    assert outcome.code == 0, outcome.err
    assert "Anna" not in (tmp_path / "out.jsonl.run/samples.jsonl").read_text("utf-8")
    assert ".thcal X" in (tmp_path / "out.jsonl").read_text("utf-8")


@pytest.mark.parametrize(("trouble", "told"), [("loading", "no memory"), ("identity", "differ in process")])
def test_what_every_worker_would_meet_ends_the_run(
    tmp_path: Path, cli: Cli, slow: Sequence[str], trouble: str, told: str
) -> None:
    write(tmp_path, 10)
    outcome = cli(*slow, "-o", "out.jsonl", "--trouble", trouble)
    assert outcome.code == 1
    assert told in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("more", "code", "told"),
    [
        (["--workers", "2"], 2, "go with --engine ray"),
        (["--engine", "ray", "--address", "127.0.0.1:9"], 1, "ray start --head"),
        (["--engine", "ray", "--address", "nowhere"], 1, "ray start --head"),
    ],
)
def test_a_call_that_cannot_work(tmp_path: Path, cli: Cli, more: list[str], code: int, told: str) -> None:
    write(tmp_path, 10)
    outcome = cli(*local(), "-o", "out.jsonl", *more)
    assert outcome.code == code
    assert told in outcome.err
    assert "Traceback" not in outcome.err


def test_more_gpus_than_there_are(tmp_path: Path, cli: Cli, slow: Sequence[str]) -> None:
    write(tmp_path, 10)
    outcome = cli(*slow, "-o", "out.jsonl", "--gpus-per-worker", 1)
    assert outcome.code == 1
    assert "--gpus-per-worker" in outcome.err
