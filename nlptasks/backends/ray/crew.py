"""The workers of a backend: placed, fed, and replaced when they are lost."""

from __future__ import annotations

import contextlib
import itertools
import logging
import math
import os
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nlptasks.backends.base import Answer
from nlptasks.backends.factory import BackendFactory
from nlptasks.backends.ray.cluster import Cluster
from nlptasks.backends.ray.worker import Answered, Loaded, Outfit, Placed, Refused, Worker
from nlptasks.errors import BackendError
from nlptasks.plugin import registry
from nlptasks.records import Failure, Request

log = logging.getLogger("nlptasks")
PULSE = 1.0
"""Seconds between two looks at whether there is a worker at all."""
PLACING = 120.0
"""Seconds for which no worker may stand before that is an error."""
LEAST_ROOM = 64
"""How many requests a worker is given at once, where its session has room for fewer."""
TRIES = 3
"""Workers that may be lost with a request before it is given up: it may be what kills them."""
PASSED_ON = ("NLPTASKS_PLUGINS", "NLPTASKS_STRICT_PLUGINS", "HF_HUB_OFFLINE", "HF_HOME")
"""Variables that a worker gets. Keys are not among them: Ray shows a worker's surroundings to all who can reach it."""


@dataclass(eq=False)
class Asked:
    """A request under way; ``done`` gets its answer under its key."""

    key: Any
    request: Request
    done: deque[tuple[Any, Answer]]
    lost: int = 0

    @property
    def suspect(self) -> bool:
        """Whether it may be what ends workers: it gets its last try by itself, so that no other suffers."""
        return self.lost == TRIES - 1


@dataclass(eq=False)
class Member:
    """A worker as it is seen from here: the ``call`` that it works on, and the requests that it holds.

    ``room`` is how many it may hold; None until its model is loaded.
    """

    actor: Any
    call: Any
    placed: bool = False
    room: int | None = None
    held: dict[int, Asked] = field(default_factory=dict)


class Crew:
    """As many workers as there are seats.

    Raises:
        BackendError: no cluster, or no worker can be placed.
    """

    def __init__(self, factory: BackendFactory, cluster: Cluster) -> None:
        import ray

        self._ours = cluster.connect()
        self._ray = ray
        self._seats = cluster.seats()
        self._outfit = _outfit(factory, self._seats.threads)
        self._waiting: deque[Asked] = deque()
        self._numbers = itertools.count()
        self._identity: Mapping[str, str] | None = None
        self._room = LEAST_ROOM  # of the last worker that was ready
        self._lost = 0  # one after the other, without an answer between them
        self._stood = time.monotonic()
        self._members = [self._hire() for _ in range(self._seats.count)]

    @property
    def identity(self) -> Mapping[str, str]:
        """The identity of the workers' backends, which is one and the same."""
        while self._identity is None:
            self.work(PULSE)
        return self._identity

    @property
    def room(self) -> int:
        """How many more requests there is use for, those workers included that are not ready yet."""
        rooms = [member.room or self._room for member in self._members]
        return max(0, sum(rooms) - len(self._waiting) - sum(len(member.held) for member in self._members))

    def stand(self) -> None:
        """Wait until a worker is ready."""
        while not any(member.room for member in self._members):
            self.work(PULSE)

    def ask(self, asked: Asked) -> None:
        """Take a request."""
        self._waiting.append(asked)

    def forget(self, done: deque[tuple[Any, Answer]]) -> None:
        """Give up the requests of a session that no worker has yet."""
        self._waiting = deque(asked for asked in self._waiting if asked.done is not done)

    def work(self, seconds: float) -> None:
        """Hand out what waits, and take in what comes back within ``seconds``.

        Raises:
            BackendError: a worker cannot do it at all, workers are lost again and again, or none can be placed.
        """
        self._feed()
        calls = {member.call: member for member in self._members if member.call is not None}
        if not calls:
            return
        ready, rest = self._ray.wait(list(calls), timeout=seconds)
        more, _ = self._ray.wait(rest, num_returns=len(rest), timeout=0) if ready and rest else ([], [])
        for call in (*ready, *more):
            self._take(calls[call])
        self._watch()

    def close(self) -> None:
        """Dismiss the workers, and leave the cluster if it was joined here."""
        for member in self._members:
            self._dismiss(member)
        self._members.clear()
        if self._ours:
            self._ray.shutdown()

    def _hire(self) -> Member:
        options = {**self._seats.resources, "scheduling_strategy": "SPREAD", "max_restarts": 0}
        actor = self._ray.remote(Worker).options(**options).remote(self._outfit)
        return Member(actor, actor.place.remote())

    def _feed(self) -> None:
        """Share out what waits among the workers that wait; one that still holds something is sent back to it."""
        idle = [member for member in self._members if member.room is not None and member.call is None]
        for position, member in enumerate(idle):
            given = dict(zip(self._numbers, self._share(member, len(idle) - position), strict=False))
            member.held |= given
            if member.held:
                member.call = member.actor.exchange.remote([(number, one.request) for number, one in given.items()])

    def _share(self, member: Member, idle: int) -> list[Asked]:
        """Take out of what waits the share of one of so many idle workers."""
        if self._waiting and self._waiting[0].suspect:
            return [] if member.held else [self._waiting.popleft()]
        free, given = (member.room or 0) - len(member.held), []
        for _ in range(min(free, math.ceil(len(self._waiting) / idle))):
            if self._waiting[0].suspect:
                break
            given.append(self._waiting.popleft())
        return given

    def _take(self, member: Member) -> None:
        """Take in what a worker returned, and call it again if it is not at work yet."""
        call, member.call = member.call, None
        try:
            found = self._ray.get(call)
        except self._ray.exceptions.RayError as error:
            self._replace(member, error)
            return
        if isinstance(found, Refused):
            raise BackendError(found.message)
        if isinstance(found, Placed):
            self._compare(found.identity)
            member.placed, member.call = True, member.actor.load.remote()
        elif isinstance(found, Loaded):
            member.room = self._room = max(LEAST_ROOM, found.room)
        elif isinstance(found, Answered):
            for number, answer in found.answers:
                asked = member.held.pop(number)
                asked.done.append((asked.key, answer))
                self._lost = 0

    def _compare(self, identity: Mapping[str, str]) -> None:
        """All must answer alike, or a run would be of nobody knows what."""
        if self._identity is None:
            self._identity = identity
        for name in {**self._identity, **identity}:
            ours, theirs = self._identity.get(name), identity.get(name)
            if ours != theirs:
                raise BackendError(f"The nodes differ in {name}: {ours} and {theirs}. Make them alike, and run again.")

    def _replace(self, member: Member, error: Exception) -> None:
        """Put another in a lost worker's place; what it held goes to whoever is free first."""
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1].strip()
        self._dismiss(member)
        self._members.remove(member)
        self._lost += 1
        if self._lost > TRIES + self._seats.count:
            raise BackendError(f"{self._lost} workers were lost one after the other; the last: {reason}")
        log.warning("A worker was lost: what it held, %d requests, goes to others.", len(member.held))
        log.info("It was lost like this: %s", reason)
        for asked in reversed(member.held.values()):
            asked.lost += 1
            if asked.lost < TRIES:
                self._waiting.appendleft(asked)
            else:
                failure = Failure("backend", f"{TRIES} workers were lost while they had this: it may be what ends them")
                asked.done.append((asked.key, failure))
        self._members.append(self._hire())

    def _watch(self) -> None:
        """End the wait for a worker that the cluster has no place for."""
        now = time.monotonic()
        if any(member.placed for member in self._members):
            self._stood = now
        elif now - self._stood > PLACING:
            free = ", ".join(f"{name} {amount:g}" for name, amount in self._ray.available_resources().items())
            needs = ", ".join(f"{name} {amount:g}" for name, amount in self._seats.resources.items())
            raise BackendError(f"No worker could be placed in {PLACING:g} s: each needs {needs}; free are {free}.")

    def _dismiss(self, member: Member) -> None:
        with contextlib.suppress(self._ray.exceptions.RayError):
            self._ray.kill(member.actor)


def _outfit(factory: BackendFactory, threads: int) -> Outfit:
    """Return what workers are sent; of plugins only what brings the backend, all others do their work here."""
    file = registry().find("backend", factory.model.partition("/")[0]).plugin.distribution
    files = (str(Path(file).resolve()),) if file.endswith(".py") else ()
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return Outfit(factory, files, {**environment, "OMP_NUM_THREADS": str(threads)}, str(Path.cwd()))
