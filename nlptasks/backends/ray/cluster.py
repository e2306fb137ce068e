"""Where workers run, and how many of them."""

from __future__ import annotations

import logging
import math
import os
import socket
from dataclasses import dataclass
from typing import Any

from nlptasks.errors import BackendError, MissingExtraError

OBJECT_STORE = 128 * 1024 * 1024
"""Bytes of shared memory that a cluster begun here sets aside: what passes through is text."""
LISTENING = 10.0
"""Seconds in which a cluster must let itself be reached."""
CPUS_PER_WORKER = 0.01
"""What a worker asks for. It computes with its share of the node's cores, but a node that is lost leaves the others
too few whole ones to put its workers on."""


@dataclass(frozen=True)
class Seats:
    """How many workers there are, what each is given, and how many threads each computes with."""

    count: int
    gpus: float
    threads: int

    @property
    def resources(self) -> dict[str, float]:
        """What Ray sets aside for a worker."""
        return {"num_cpus": CPUS_PER_WORKER, "num_gpus": self.gpus}


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster: ``address`` as ``ray.init`` takes it, None to begin one on this machine.

    ``workers`` defaults to one for each node, or for each GPU; ``gpus_per_worker`` to 1 where the cluster has GPUs,
    else 0. It may be a fraction.
    """

    address: str | None = None
    workers: int | None = None
    gpus_per_worker: float | None = None

    def connect(self) -> bool:
        """Join the cluster; return whether this process was in none before, and so has to leave it.

        Raises:
            MissingExtraError: Ray is not installed.
            BackendError: there is no such cluster.
        """
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        try:
            import ray
        except ModuleNotFoundError:
            raise MissingExtraError("--engine ray", "ray") from None
        if ray.is_initialized():
            return False
        self._check_address()
        here: dict[str, Any] = {"include_dashboard": False, "object_store_memory": OBJECT_STORE}
        where = {"address": self.address} if self.address else here
        try:
            ray.init(**where, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, RuntimeError, ValueError) as error:
            place = f"at {self.address!r}" if self.address else "on this machine"
            said = " ".join(str(error).split())
            raise BackendError(f"No Ray cluster {place}: {said} Begin one: ray start --head") from None
        return True

    def _check_address(self) -> None:
        """Ray itself waits for minutes where nobody listens."""
        host, colon, port = (self.address or "").rpartition(":")
        if not (colon and port.isdigit() and "/" not in host):
            return
        try:
            socket.create_connection((host.strip("[]"), int(port)), LISTENING).close()
        except (OSError, OverflowError) as error:
            raise BackendError(f"No Ray cluster at {self.address!r}: {error}. Begin one: ray start --head") from None

    def seats(self) -> Seats:
        """Return how the workers are seated on the nodes there are.

        Raises:
            BackendError: the cluster has too few GPUs for a worker.
        """
        import ray

        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        each = [node.get("GPU", 0.0) for node in nodes]
        gpus = self.gpus_per_worker if self.gpus_per_worker is not None else float(any(each))
        room = sum(int(have / gpus) for have in each) if gpus else len(nodes)
        if not room:
            raise BackendError(f"No node of the cluster has {gpus:g} GPUs for a worker: lower --gpus-per-worker.")
        count = self.workers or room
        cores = max(node.get("CPU", 1.0) for node in nodes)
        return Seats(count, gpus, max(1, int(cores // math.ceil(count / len(nodes)))))
