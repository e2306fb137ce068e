"""One server, or several with the same model, asked as one."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import anyio

from nlptasks.backends.base import Answer, Show
from nlptasks.backends.openai.circuit import Circuit
from nlptasks.backends.openai.client import Client
from nlptasks.backends.openai.pace import Place
from nlptasks.backends.openai.trouble import Trouble
from nlptasks.records import Failure, Request

log = logging.getLogger("nlptasks")
LONGEST_BACKOFF = 60.0
"""Seconds between tries at most."""
REST = 0.5
"""Seconds after which a server that said nothing is asked again, by one request; twice as many each time."""
LONGEST_REST = 2.0


def backoff(tried: int) -> float:
    """Return the seconds before the next try, where the server does not ask for more: twice as many each time."""
    return min(doubled(1.0, tried) + random.random(), LONGEST_BACKOFF)


def doubled(first: float, tried: int) -> float:
    """Return a time that doubles with each try from ``first`` on. It stops before a number has no room for it."""
    return first * 2.0 ** min(tried - 1, 30)


@dataclass(eq=False)
class Member:
    """One of the servers; ``silent`` counts the tries since it last said anything."""

    client: Client
    silent: int = 0
    due: float = 0.0
    probed: bool = False

    @property
    def load(self) -> float:
        """How many requests it has for each that it works on at once."""
        limiter = self.client.pace.limiter
        known = limiter.statistics()
        return (known.borrowed_tokens + known.tasks_waiting) / limiter.total_tokens

    def spoke(self) -> None:
        """Note that it lives."""
        self.silent, self.probed = 0, False

    def fell_silent(self) -> None:
        """Note a try that it said nothing to."""
        self.silent, self.probed = self.silent + 1, False
        self.due = time.monotonic() + min(doubled(REST, self.silent), LONGEST_REST)


class Fleet:
    """Each request goes to the server that has least to do; those of one that falls silent go to the others."""

    def __init__(self, clients: Sequence[Client], max_retries: int) -> None:
        self.members = [Member(client) for client in clients]
        self._max_retries = max_retries

    async def aclose(self) -> None:
        """Close every connection."""
        for member in self.members:
            await member.client.aclose()

    async def answer(self, request: Request, circuit: Circuit, show: Show | None = None) -> Answer:
        """Answer one request, trying again where that can help; ``show`` gets the pieces of a stream."""
        tried, member = 0, self._best()
        place = Place(member.client.pace)
        try:
            while True:
                try:
                    answer = await member.client.attempt(place, request, circuit, show)
                except Trouble as error:
                    self._note(member, error)
                    moves = not error.heard and error.again and any(not one.silent for one in self.members)
                    if not moves:
                        tried += 1
                        if not error.again:
                            return error.failure
                        if tried > self._max_retries or circuit.failure is not None:
                            return _given_up(error, tried, circuit)
                        _tell(error)
                        await anyio.sleep(max(backoff(tried), error.wait and error.wait + random.random()))
                else:
                    member.spoke()
                    return answer
                if (best := self._best()) is not member:
                    place.leave()
                    member, place = best, Place(best.client.pace)
        finally:
            place.leave()
            member.probed = False

    def _best(self) -> Member:
        """Return the server to ask: one that was silent and is due, else the one with least to do, else the soonest."""
        now = time.monotonic()
        lives = [one for one in self.members if not one.silent]
        due = [one for one in self.members if one.silent and not one.probed and one.due <= now]
        if due and lives:
            due[0].probed = True
            return due[0]
        return min(lives, key=lambda one: one.load) if lives else min(self.members, key=lambda one: one.due)

    def _note(self, member: Member, error: Trouble) -> None:
        if error.heard:
            member.spoke()
        else:
            member.fell_silent()


def _tell(error: Trouble) -> None:
    if not error.full:  # that is how the pace is found
        log.info("%s Trying again.", error.failure.message)


def _given_up(error: Trouble, tried: int, circuit: Circuit) -> Failure:
    words = f" Tried {tried} times." if tried > 1 else ""
    failure = replace(error.failure, message=error.failure.message + words)
    if not error.heard:
        circuit.gave_up(failure)
    return failure
