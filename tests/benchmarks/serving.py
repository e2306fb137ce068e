"""Many clients of one server, all tasks at once: beside the same samples without a server, and with some who leave.

    python -m tests.benchmarks.serving --model hf/FOLDER [--clients 32] [--requests 50] [--many 20000]

Clients, server and what runs without a server are processes of their own. Without a server every task's samples are
run after those of the task before, once in batches as large as they get and once in such as so many clients can fill:
a client has one sample under way, and weights are read once for each batch. Of those who leave, every fourth client
hangs up without waiting for an answer. The last part asks ``echo`` so often, and tells the memory that the server held
after a tenth of it and at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any
from unittest import mock

import click
import httpx
import psutil
from httpx_aiohttp import HttpxAiohttpClient

from nlptasks.api import TaskRunner
from nlptasks.backends.base import Backend
from nlptasks.backends.factory import BackendFactory
from nlptasks.backends.hf import session
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
    text = " ".join(map(str, Random(number).choices(range(2, 402), k=40)))
    inputs: list[tuple[str, dict[str, Any]]] = [
        ("chat", {"message": text}),
        ("text-generation", {"prompt": text}),
        ("summarization", {"document": text}),
        ("translation", {"source": text, "source_lang": "en", "target_lang": "de"}),
        ("question-answering", {"question": f"What is {number}?", "context": text}),
    ]
    return inputs[number % len(inputs)]


def plain(model: str, count: int, held: int) -> None:
    """Print how long the samples take without a server, as JSON; ``held`` is how many there may be in a batch."""
    bounded = mock.patch.object(session, "AHEAD", held)
    with BackendFactory(model).build() as backend, bounded, stepping() as rows:
        _run(backend, 10)
        rows.clear()
        start = time.perf_counter()
        _run(backend, count)
        tell(seconds=time.perf_counter() - start, rows=statistics.fmean(rows or [0]))


def _run(backend: Backend, count: int) -> None:
    by_task: dict[str, list[Any]] = {}
    for name, given in map(sample, range(count)):
        by_task.setdefault(name, []).append(given)
    for name, values in by_task.items():
        task = load_task(name)
        list(TaskRunner(task, task.Options(**OPTIONS), backend).records(values))


@contextmanager
def stepping() -> Iterator[list[int]]:
    """Yield a list that gets the number of rows of every step that a model takes."""
    rows: list[int] = []
    step = Decoder.step

    def counted(self: Decoder) -> Any:
        done = step(self)
        rows.append(len(self.active) + len(done))
        return done

    with mock.patch.object(Decoder, "step", counted):
        yield rows


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
    """Print what those who stay got, as JSON; of ``leaving`` clients one does not stay, 0 for none."""
    limits = httpx.Limits(max_connections=count)
    async with HttpxAiohttpClient(base_url=url, limits=limits, timeout=None) as http:
        start = time.perf_counter()
        parts = [range(one * requests, (one + 1) * requests) for one in range(count)]
        who = [bool(leaving) and one % leaving == 0 for one in range(count)]
        found = await asyncio.gather(*(client(http, part, gone) for part, gone in zip(parts, who, strict=True)))
        seconds = time.perf_counter() - start
    staying = [one for one, gone in zip(found, who, strict=True) if not gone]
    latencies = [taken for _, each in staying for taken in each]
    answered = sum(one for one, _ in staying)
    tell(seconds=seconds, answered=answered, asked=len(staying) * requests, median=statistics.median(latencies))


def served(model: str, count: int, requests: int, leaving: int) -> None:
    """Print what the clients of a server got, as JSON, with the rows of its steps."""
    with serving(BackendFactory(model).build()) as server, stepping() as rows:
        part("clients", server.url, 1, 10, 0)
        rows.clear()
        told = part("clients", server.url, count, requests, leaving)
        assert server.idle()
        tell(**told, rows=statistics.fmean(rows or [0]))


def remembered(requests: int, count: int) -> None:
    """Print the memory that a server of ``echo`` held after a tenth of the requests and at the end."""
    process = psutil.Process()
    with serving(BackendFactory("echo").build()) as server:
        for some in (requests // 10, requests):
            told = part("clients", server.url, count, some // count, 0)
            size, pace = process.memory_info().rss / 2**20, told["answered"] / told["seconds"]
            click.echo(f"echo               {told['answered']:7,} requests: {size:.1f} MB, {pace:.0f} requests/s")


def tell(**found: Any) -> None:
    """Print what was found, for the process that asked."""
    sys.stdout.write(json.dumps(found))


def part(name: str, *arguments: Any) -> dict[str, Any]:
    """Return what a part of this found in a process of its own."""
    told: dict[str, Any] = json.loads(
        launch([sys.executable, "-m", __spec__.name, name, *map(str, arguments)], ROOT).said
    )
    return told


def compare(model: str, count: int, requests: int) -> None:
    """Print how the server compares, and how many rows a step of the model had."""
    told = part("served", model, count, requests, 0)
    click.echo(
        f"served             {told['seconds']:7.1f} s, {told['rows']:.1f} rows a step;"
        f" {told['answered']} of {told['asked']} answered, median {told['median']:.2f} s"
    )
    for name, held in (("run", session.AHEAD), (f"run, {count} at once", count)):
        alone = part("plain", model, count * requests, held)
        ratio = alone["seconds"] / told["seconds"]
        click.echo(
            f"{name:19}{alone['seconds']:7.1f} s, {alone['rows']:.1f} rows a step; the server has {ratio:.2f} of it"
        )
    left = part("served", model, count, requests, 4)
    click.echo(
        f"a fourth leaving   {left['seconds']:7.1f} s; {left['answered']} of {left['asked']} of the others answered,"
        f" median {left['median']:.2f} s"
    )


def main() -> None:
    """Print all parts."""
    parts: dict[str, Callable[..., None]] = {
        "plain": plain,
        "served": served,
        "clients": lambda *given: asyncio.run(clients(*given)),
    }
    if len(sys.argv) > 1 and sys.argv[1] in parts:
        parts[sys.argv[1]](sys.argv[2], *map(int, sys.argv[3:]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--requests", type=int, default=50)
    parser.add_argument("--many", type=int, default=20_000)
    given = parser.parse_args()
    click.echo(machine(("nlptasks", "torch", "transformers", "fastapi", "uvicorn")))
    click.echo(f"{given.clients} clients, {given.requests} requests each, five tasks")
    compare(given.model, given.clients, given.requests)
    remembered(given.many, given.clients)


if __name__ == "__main__":
    main()
