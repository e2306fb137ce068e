"""A server with room for 64 requests, each answered after 100 ms: ours beside a loop that knows the limit, and peers.

The loop is 64 workers on the HTTP client that ours uses, without engine, log or retries. Ours is ``nlptasks run chat``
from a file into a file with its run directory, and is told nothing of the limit. lm-eval and inspect are told 64.
Requests a second count from the first to the last that the server took.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.request import urlopen

from tests.benchmarks.measuring import interleaved, launch, middle, table
from tests.benchmarks.workshop import HERE, Workshop

REQUESTS, ROOM, SECONDS = 5000, 64, 0.1


@dataclass(frozen=True)
class Asked:
    """What a way to ask all requests took and left."""

    wall: float
    cpu: float
    answered: int
    refused: int


@contextmanager
def server() -> Iterator[str]:
    """Serve in a process of its own; yield its address."""
    command = [sys.executable, str(HERE / "server.py"), "--room", str(ROOM), "--seconds", str(SECONDS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def asked(command: Sequence[str | Path], folder: Path) -> Asked:
    """Run a command against a new server."""
    with server() as address:
        environment = {"BENCHMARK_SERVER": address, "OPENAI_API_KEY": "none", "OPENAI_BASE_URL": address}
        outcome = launch([str(part).replace("ADDRESS", address) for part in command], folder, environment)
        with urlopen(f"{address}/counts") as answer:
            told: dict[str, float] = json.load(answer)
    return Asked(told["last"] - told["first"], outcome.cpu, int(told["answered"]), int(told.get("refused", 0)))


def measure(shop: Workshop) -> str:
    """Return the table."""
    client, number = HERE / "clients.py", str(REQUESTS)
    rows = (json.dumps({"message": f"Row {row}: what did the council do?"}) for row in range(REQUESTS))
    (shop.folder / "requests.jsonl").write_text("\n".join(rows))
    ours = "run chat -m openai/m --base-url ADDRESS/v1 -i requests.jsonl -o answers.jsonl --overwrite"
    ways: dict[str, Sequence[str | Path]] = {
        "bare loop that knows the limit": [sys.executable, client, "bare", number],
        "`nlptasks run`, told nothing": [sys.executable, "-m", "nlptasks", *ours.split()],
        "lm-eval, told 64": [shop.peers, client, "lm-eval", number],
        "inspect, told 64": [shop.peers, client, "inspect", number],
    }
    outcomes = interleaved({name: partial(asked, way, shop.folder) for name, way in ways.items()}, shop.rounds)
    return f"### {REQUESTS:,} requests to a server with room for {ROOM}\n\n{shown(outcomes)}"


def shown(outcomes: dict[str, list[Asked]]) -> str:
    """Return a line for each way to ask."""
    base = [one.wall for one in next(iter(outcomes.values()))]
    lines = []
    for name, found in outcomes.items():
        share = (100 * loop / one.wall for loop, one in zip(base, found, strict=True))
        lines.append(
            [
                name,
                middle((REQUESTS / one.wall for one in found), 0),
                middle(share),
                middle((1000 * one.cpu / REQUESTS for one in found), 2),
                f"{statistics.median(one.refused for one in found):.0f}",
                str(REQUESTS - min(one.answered for one in found)),
            ]
        )
    return table(["", "requests/s", "% of the loop", "CPU ms each", "refused", "lost"], lines)
