"""Many clients of one server, all tasks at once: beside the same samples without a server, and with some who leave.

    python -m tests.benchmarks.serving --model hf/FOLDER [--clients 32] [--requests 50] [--many 20000]

The server is in this process, its clients are in another. Without a server every task's samples are run after those
of the task before. Of those who leave, every fourth client hangs up without waiting for an answer. The last part asks
``echo`` so often, and tells the memory that the server held after a tenth of it and at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from typing import Any
from unittest import mock

import click
import httpx
import psutil
from httpx_aiohttp import HttpxAiohttpClient

from nlptasks.api import TaskRunner
from nlptasks.backends.base import Backend
from nlptasks.backends.factory import BackendFactory, wrapped
from nlptasks.backends.hf.decoding.decoder import Decoder
from nlptasks.job import load_task
from tests.benchmarks.machine import machine
from tests.benchmarks.measuring import launch
from tests.benchmarks.workshop import ROOT
from tests.server.conftest import serving

OPTIONS = {"max_new_tokens": 16}
FIRST_WORDS = 0.05
"""Seconds after which one who leaves is gone."""


def sample(number: int) -> tuple[str, dict[str, Any]]:
    """Return a task and an input of it; no two are alike."""
    text = " ".join(str(2 + (number * 7919 + place * 104729) % 400) for place in range(40))
    inputs: list[tuple[str, dict[str, Any]]] = [
        ("chat", {"message": text}),
        ("text-generation", {"prompt": text}),
        ("summarization", {"document": text}),
        ("translation", {"source": text, "source_lang": "en", "target_lang": "de"}),
        ("question-answering", {"question": f"What is {number}?", "context": text}),
    ]
    return inputs[number % len(inputs)]


def plain(backend: Backend, count: int) -> float:
    """Return the seconds that the samples take without a server."""
    by_task: dict[str, list[Any]] = {}
    for name, given in map(sample, range(count)):
        by_task.setdefault(name, []).append(given)
    start = time.perf_counter()
    for name, values in by_task.items():
        task = load_task(name)
        list(TaskRunner(task, task.Options(**OPTIONS), backend).records(values))
    return time.perf_counter() - start


async def client(http: httpx.AsyncClient, numbers: range, leaves: bool) -> tuple[int, list[float]]:
    """Ask for one sample after the other; return how many were answered, and the seconds of each."""
    answered, taken = 0, []
    for number in numbers:
        task, given = sample(number)
        body = {"input": given, "options": OPTIONS}
        start = time.perf_counter()
        try:
            limit = FIRST_WORDS if leaves else 600
            answer = await asyncio.wait_for(http.post(f"/v1/tasks/{task}", json=body), limit)
        except (asyncio.TimeoutError, httpx.HTTPError):
            continue
        answered += answer.is_success and "output" in answer.json()["results"][0]
        taken.append(time.perf_counter() - start)
    return answered, taken


async def clients(url: str, count: int, requests: int, leaving: int) -> None:
    """Print what those who stay got, as JSON."""
    limits = httpx.Limits(max_connections=count)
    async with HttpxAiohttpClient(base_url=url, limits=limits, timeout=None) as http:
        start = time.perf_counter()
        parts = [range(one * requests, (one + 1) * requests) for one in range(count)]
        who = [bool(leaving) and one % leaving == 0 for one in range(count)]
        found = await asyncio.gather(*(client(http, part, gone) for part, gone in zip(parts, who, strict=True)))
        seconds = time.perf_counter() - start
    staying = [one for one, gone in zip(found, who, strict=True) if not gone]
    latencies = [taken for _, each in staying for taken in each]
    told = {"seconds": seconds, "answered": sum(one for one, _ in staying), "asked": len(staying) * requests}
    sys.stdout.write(json.dumps({**told, "median": statistics.median(latencies)}))


def ask(url: str, count: int, requests: int, leaving: int = 0) -> dict[str, Any]:
    """Return what clients in another process got."""
    arguments = [url, str(count), str(requests), str(leaving)]
    told: dict[str, Any] = json.loads(launch([sys.executable, "-m", __spec__.name, *arguments], ROOT).said)
    return told


def shared(model: str, count: int, requests: int) -> None:
    """Print how the server compares, and how many rows a step of the model had."""
    rows: list[int] = []
    step = Decoder.step

    def counted(self: Decoder) -> Any:
        done = step(self)
        rows.append(len(self.active) + len(done))
        return done

    with BackendFactory(model).build() as backend, mock.patch.object(Decoder, "step", counted):
        plain(backend, 10)
        alone, alone_rows = plain(backend, count * requests), statistics.fmean(rows or [0])
        rows.clear()
        with serving(backend) as served:
            told = ask(served.url, count, requests)
            served_rows = statistics.fmean(rows or [0])
            left = ask(served.url, count, requests, leaving=4)
            assert served.idle()
    click.echo(f"without a server   {alone:7.1f} s, {alone_rows:.1f} rows a step")
    click.echo(
        f"served             {told['seconds']:7.1f} s, {served_rows:.1f} rows a step, {alone / told['seconds']:.2f} of"
        f" that; {told['answered']} of {told['asked']} answered, median {told['median']:.2f} s"
    )
    click.echo(
        f"a fourth leaving   {left['seconds']:7.1f} s; {left['answered']} of {left['asked']} of the others answered,"
        f" median {left['median']:.2f} s"
    )


def memory(requests: int, count: int) -> None:
    """Print the memory that a server of ``echo`` held."""
    process = psutil.Process()
    with serving(wrapped(BackendFactory("echo").bare())) as served:
        held = []
        for part in (requests // 10, requests):
            told = ask(served.url, count, part // count)
            held.append((told["answered"], process.memory_info().rss / 2**20, told["answered"] / told["seconds"]))
    for answered, size, pace in held:
        click.echo(f"echo               {answered:7,} requests: {size:.1f} MB, {pace:.0f} requests/s")


def main() -> None:
    """Print all parts."""
    if len(sys.argv) > 1 and sys.argv[1].startswith("http"):
        asyncio.run(clients(sys.argv[1], *map(int, sys.argv[2:5])))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--requests", type=int, default=50)
    parser.add_argument("--many", type=int, default=20_000)
    given = parser.parse_args()
    click.echo(machine(("nlptasks", "torch", "transformers", "fastapi", "uvicorn")))
    click.echo(f"{given.clients} clients, {given.requests} requests each, five tasks")
    shared(given.model, given.clients, given.requests)
    memory(given.many, given.clients)


if __name__ == "__main__":
    main()
