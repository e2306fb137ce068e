"""A benchmark's rows from the Hugging Face Hub."""

from __future__ import annotations

import logging
import socket
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from nlptasks.benchmarks import Benchmark
from nlptasks.data import Numbered
from nlptasks.errors import InputError

CONNECT_SECONDS = 5.0


def hub_rows(benchmark: Benchmark, config: str | None) -> Numbered:
    """Yield the published rows of one configuration of a benchmark as they come in.

    Raises:
        InputError: they cannot be loaded; it says how to give them from files.
    """
    if not benchmark.dataset:
        raise InputError(
            f"The Hub holds no {benchmark.name}: get its files ({benchmark.url}) and say {_locally(benchmark)}"
        )
    try:
        yield from _load(benchmark, config)
    except Exception as error:  # what the network and the Hub may do is not one kind of error
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{benchmark.dataset} cannot be loaded from the Hub ({reason}). "
            f"Offline, give its files: {_locally(benchmark)}"
        ) from error


def _load(benchmark: Benchmark, config: str | None) -> Numbered:
    from huggingface_hub import constants

    if not constants.HF_HUB_OFFLINE:
        _reach(constants.ENDPOINT)
    import datasets

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # a try that failed is no news: the last one raises
    loaded: Any = datasets.load_dataset(
        benchmark.dataset, config, split=benchmark.split, revision=benchmark.revision, streaming=True
    )
    return enumerate(loaded)


def _reach(url: str) -> None:
    """Check that the first hop to a server answers: datasets would only find out after half a minute of tries.

    Raises:
        OSError: it does not.
    """
    server = urlsplit(url)
    proxies = {} if proxy_bypass(server.hostname or "") else getproxies()
    hop = urlsplit(proxies.get(server.scheme) or proxies.get("all") or url)
    port = hop.port or {"http": 80, "https": 443}.get(hop.scheme)
    if hop.hostname and port:
        socket.create_connection((hop.hostname, port), CONNECT_SECONDS).close()


def _locally(benchmark: Benchmark) -> str:
    return f"--data {benchmark.name}=PATH"
