"""Three servers asked as one, of which one dies under load and comes back: what is lost, and when the pace is back.

Each server has room for 16 requests at once and answers each after 100 ms. One is killed after 4 s and started again
after 8 s. The pace is back at the end of the first half second in which 90 % as many are answered as before.
"""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.request import urlopen

from nlptasks.backends.openai import Options, load
from nlptasks.records import Failure, Message, Request
from tests.benchmarks.measuring import interleaved, middle, table
from tests.benchmarks.workshop import HERE, Workshop

DIES, LIVES, ENDS = 4.0, 8.0, 16.0
SLOT = 0.5


@dataclass(frozen=True)
class Seen:
    """What one run saw: answers a second before and without the server, and when the pace was back, in seconds."""

    before: float
    without: float
    back: float
    answered: int
    lost: int


class Server:
    """A process at a port of its own, which it has again when it is started again."""

    def __init__(self, room: int = 16, seconds: float = 0.1) -> None:
        self._bounds = "--room", str(room), "--seconds", str(seconds)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.start()

    def start(self) -> None:
        """Serve."""
        command = [sys.executable, str(HERE / "server.py"), "--port", str(self.port), *self._bounds]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self._process.stdout.readline()

    def kill(self) -> None:
        """End without a word."""
        self._process.kill()
        self._process.communicate()

    @property
    def answered(self) -> int:
        """How many requests it answered since it was started."""
        with urlopen(f"http://127.0.0.1:{self.port}/counts") as answer:
            return int(json.load(answer).get("answered", 0))


def watch() -> Seen:
    """Ask without a pause, and note when each answer came."""
    servers = [Server() for _ in range(3)]
    urls = tuple(f"http://127.0.0.1:{one.port}/v1" for one in servers)
    came, lost, held, numbers = [], 0, 0, itertools.count()
    with ExitStack() as stack:
        for one in servers:
            stack.callback(one.kill)
        backend = stack.enter_context(load("m", Options(base_url=urls)))
        session = stack.enter_context(backend.open())
        stages, begun = [(DIES, servers[0].kill), (LIVES, servers[0].start)], time.monotonic()
        while (now := time.monotonic() - begun) < ENDS or held:
            while stages and now >= stages[0][0]:
                stages.pop(0)[1]()
            while now < ENDS and session.room > 0:
                number = next(numbers)
                session.put(number, Request((Message("user", f"Question {number}"),)))
                held += 1
            found = session.poll(SLOT / 5)
            if found:
                held -= 1
                lost += isinstance(found[1], Failure)
                came.append(time.monotonic() - begun)
    slots = [sum(start <= one < start + SLOT for one in came) / SLOT for start in _starts(0, ENDS)]
    before = sum(slots[int(2 / SLOT) : int(DIES / SLOT)]) / ((DIES - 2) / SLOT)
    without = sum(slots[int(6 / SLOT) : int(LIVES / SLOT)]) / ((LIVES - 6) / SLOT)
    after = _starts(LIVES, ENDS)
    back = next((start + SLOT - LIVES for start in after if slots[int(start / SLOT)] >= 0.9 * before), float("inf"))
    return Seen(before, without, back, len(came), lost)


def _starts(first: float, last: float) -> list[float]:
    return [first + SLOT * number for number in range(int((last - first) / SLOT))]


def measure(shop: Workshop) -> str:
    """Return the table."""
    os.environ["OPENAI_API_KEY"] = "none"
    [seen] = interleaved({"three servers": watch}, shop.rounds).values()
    head = ["", "answers/s before", "with two", "back after s", "answered", "lost"]
    row = [
        "three servers, one dies and comes back",
        middle((one.before for one in seen), 0),
        middle((one.without for one in seen), 0),
        middle(one.back for one in seen),
        middle((one.answered for one in seen), 0),
        str(sum(one.lost for one in seen)),
    ]
    return f"### Several servers as one\n\n{table(head, [row])}"
