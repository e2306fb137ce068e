"""How fast nlptasks is beside other projects, and beside what the machine can do.

    python -m tests.benchmarks FOLDER [--share 0.25] [--rounds 5] [--only generation]

Everything is made in FOLDER, and stays there for the next time: models of known shapes, an environment with the other
projects, and speed.md with the tables. Every run is a process of its own, the rounds are interleaved; medians are told
with the least and the greatest. Answers are compared with those of transformers. --share does so much of the prompts
and sentences; prompts that begin alike, requests to a server and rows of the engine stay as many.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import click

from tests.benchmarks import cluster, engine, fleet, gpu, prefixes, remote, startup, translation
from tests.benchmarks.generation import measure as generation
from tests.benchmarks.machine import machine
from tests.benchmarks.workshop import PEERS, Workshop

PARTS: dict[str, Callable[[Workshop], str]] = {
    "generation": generation,
    "prefixes": prefixes.measure,
    "translation": translation.measure,
    "remote": remote.measure,
    "fleet": fleet.measure,
    "engine": engine.measure,
    "startup": startup.measure,
    "cluster": cluster.measure,
    "gpu": gpu.measure,
}
OURS = ("nlptasks", "torch", "transformers", "httpx", "aiohttp", "pydantic")


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--share", default=1.0, help="How much of the prompts and sentences.")
@click.option("--rounds", default=5, help="How often each is run.")
@click.option("--only", "parts", multiple=True, type=click.Choice(list(PARTS)), help="A part; may be repeated.")
def main(folder: Path, share: float, rounds: int, parts: tuple[str, ...]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shop = Workshop(folder.resolve(), share, rounds)
    head = f"{machine(OURS)}\nOthers: {others(shop)}\nShare {share}, rounds {rounds}\n"
    report = [head.replace("\n", "  \n")]
    for name in parts or PARTS:
        click.echo(name, err=True)
        report.append(PARTS[name](shop))
        (shop.folder / "speed.md").write_text("\n".join(report), "utf-8")
        click.echo(report[-1])


def others(shop: Workshop) -> str:
    """Return the versions of the other projects."""
    listed = subprocess.run([shop.peers, "-m", "pip", "list", "--format", "json"], check=True, capture_output=True)
    versions = {one["name"].replace("_", "-"): one["version"] for one in json.loads(listed.stdout)}
    return ", ".join(f"{name} {versions[name]}" for name in (peer.partition("[")[0] for peer in PEERS))


if __name__ == "__main__":
    main()
