"""What a row costs on a cluster beside the model: ``run`` on ``echo`` here, and on two nodes on this machine.

Seconds are those beyond the same command on one row, so that start-up, told by itself, is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.benchmarks.engine import ROWS, run_of, write_rows
from tests.benchmarks.measuring import interleaved, launch, middle, ratios, table
from tests.benchmarks.workshop import Workshop


def seconds(more: Sequence[str], folder: Path) -> tuple[float, float]:
    """Return the seconds of a run on one row, and how many more it takes on all."""
    start, whole = (launch([*run_of("chat", rows), *more], folder).seconds for rows in ("one.jsonl", "rows.jsonl"))
    return start, whole - start


def measure(shop: Workshop) -> str:
    """Return the table of microseconds a row."""
    from ray.cluster_utils import Cluster

    folder = shop.folder / "cluster"
    folder.mkdir(exist_ok=True)
    write_rows(folder / "one.jsonl", 1)
    write_rows(folder / "rows.jsonl", ROWS)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        ways = {"here": [], "`--engine ray`, two nodes": ["--engine", "ray", "--address", cluster.address]}
        found = interleaved({name: partial(seconds, more, folder) for name, more in ways.items()}, shop.rounds)
    finally:
        cluster.shutdown()
    here = [more for _, more in found["here"]]
    rows = []
    for name, each in found.items():
        starts, more = zip(*each, strict=True)
        rows.append([name, middle(starts), middle((one / ROWS * 1e6 for one in more), 0), ratios(more, here)])
    head = ["", "seconds on one row", "more for each row, µs", "times here"]
    return f"### A cluster, {ROWS:,} rows on `echo`\n\n{table(head, rows)}"
