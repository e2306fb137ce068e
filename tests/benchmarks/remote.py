"""A server with room for 64 requests, each answered after 100 ms: ours beside a loop that knows the limit, and peers.

    python -m tests.benchmarks.remote [--requests 5000] [--rounds 5] [--seconds 0.1] [--peers FOLDER]

The loop is 64 workers on the HTTP client that ours uses, without engine, log or retries. Ours is ``nlptasks run chat``
from a file into a file with its run directory, and is told nothing of the limit. lm-eval and inspect are told 64, and
run in an environment of their own, made in FOLDER by pip the first time. Every run is a process of its own, the
rounds are interleaved; medians are printed. Requests a second count from the first to the last that the server took.
A busy machine has too little time for 640 requests a second: with longer --seconds only the pace is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import click

from tests.benchmarks.machine import machine

HERE = Path(__file__).parent
ROOM = 64
PEERS = ("lm-eval[api]", "inspect-ai", "openai")


@dataclass(frozen=True)
class Run:
    """One way to ask all requests: a command, and where its environment lies."""

    name: str
    command: Sequence[str | Path]


@dataclass(frozen=True)
class Outcome:
    """What a run took and left."""

    wall: float
    cpu: float
    answered: int
    refused: int


@contextmanager
def server(seconds: float) -> Iterator[str]:
    """Serve in a process of its own; yield its address."""
    command = [sys.executable, str(HERE / "server.py"), "--room", str(ROOM), "--seconds", str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def counts(address: str) -> dict[str, float]:
    """Return what the server counted."""
    with urlopen(f"{address}/counts") as answer:
        found: dict[str, float] = json.load(answer)
    return found


def measured(run: Run, folder: Path, seconds: float) -> Outcome:
    """Do one run against a new server."""
    with server(seconds) as address:
        before, start = os.times(), time.perf_counter()
        environment = {**os.environ, "BENCHMARK_SERVER": address, "OPENAI_API_KEY": "none", "OPENAI_BASE_URL": address}
        command = [str(part).replace("ADDRESS", address) for part in run.command]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise click.ClickException(f"{run.name}: {done.stderr[-2000:]}")
        wall, after, told = time.perf_counter() - start, os.times(), counts(address)
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    span = told.get("last", 0) - told.get("first", 0) or wall
    return Outcome(span, cpu, int(told.get("answered", 0)), int(told.get("refused", 0)))


def peers(folder: Path, client: Path, requests: int) -> list[Run]:
    """Return the runs of other projects, in an environment that is made when it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "-q", *PEERS], check=True)
    return [Run(f"{name}, told 64", [python, client, name, str(requests)]) for name in ("lm-eval", "inspect")]


def main() -> None:
    """Print a table: requests a second, CPU for each, refusals, and the ratio to the loop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.1)
    parser.add_argument("--peers", type=Path, help="Where their environment is, or shall be.")
    given = parser.parse_args()
    client, number = HERE / "clients.py", str(given.requests)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        rows = (json.dumps({"message": f"Row {row}: what did the council do?"}) for row in range(given.requests))
        (folder / "rows.jsonl").write_text("\n".join(rows))
        ours = "run chat -m openai/m --base-url ADDRESS/v1 -i rows.jsonl -o answers.jsonl --overwrite"
        runs = [
            Run("bare loop that knows the limit", [sys.executable, client, "bare", number]),
            Run("nlptasks run, told nothing", [sys.executable, "-m", "nlptasks", *ours.split()]),
        ]
        if given.peers:
            runs += peers(given.peers.resolve(), client, given.requests)
        taken: dict[str, list[Outcome]] = {run.name: [] for run in runs}
        for _ in range(given.rounds):
            for run in runs:
                taken[run.name].append(measured(run, folder, given.seconds))
    click.echo(machine(("nlptasks", "httpx", "aiohttp", "httpx-aiohttp")))
    click.echo(f"{number} requests, room for {ROOM}, {given.seconds} s each; medians of {given.rounds}")
    show(taken, given.requests)


def show(taken: dict[str, list[Outcome]], requests: int) -> None:
    """Print a line for each way to ask."""
    base = statistics.median(one.wall for one in next(iter(taken.values())))
    click.echo(f"{'':32}{'req/s':>8}{'of loop':>9}{'CPU ms':>8}{'refused':>9}{'lost':>6}")
    for name, outcomes in taken.items():
        wall, cpu, refused = (
            statistics.median(getattr(one, field) for one in outcomes) for field in ("wall", "cpu", "refused")
        )
        lost = requests - min(one.answered for one in outcomes)
        numbers = f"{requests / wall:8.0f}{base / wall:9.1%}{1000 * cpu / requests:8.2f}{refused:9.0f}{lost:6}"
        click.echo(f"{name:32}{numbers}")


if __name__ == "__main__":
    main()
