"""How many requests a server gets at once: found by asking it."""

from __future__ import annotations

import math
import time

import anyio

FIRST = 16
"""Requests sent at once before anything is known of the server."""

DECREASE = 0.9
"""What is left of the limit when a request was refused."""

CAUTION = 32
"""Rounds of answers before a number that was refused once is tried again; twice as many each time it is."""

GAIN = 1.25
"""How much faster a server must answer twice the requests for their number to be doubled again."""


class Pace:
    """Finds the limit by additive increase and multiplicative decrease, and never exceeds ``most``.

    Until the server first has enough, every answer makes room for one request more, which doubles the limit in each
    round. A refusal tells what the server has room for: the requests that it still works on. The limit falls below
    that, grows by one in each round up to it, and very slowly beyond. A server that lets requests wait instead of
    refusing them has enough when twice as many are no longer answered faster.

    Source: RFC 5681 (slow start, congestion avoidance), with the memory of the last refusal of RFC 9438 (CUBIC).
    """

    def __init__(self, most: int) -> None:
        self.limiter = anyio.CapacityLimiter(min(FIRST, most))
        self._most = most
        self._limit = float(self.limiter.total_tokens)
        self._room = math.inf  # the requests that the server worked on when it had enough
        self._caution = CAUTION
        self._calm = 0.0
        self._begin_round()
        self._best, self._idle_rounds = 0.0, 0

    def answered(self) -> None:
        """Note that a request, which still counts as under way, was not refused."""
        if self.limiter.borrowed_tokens < self.limiter.total_tokens:
            return  # no more were wanted, so nothing was learnt
        if self._room == math.inf:
            self._set(self._limit + 1)
            self._weigh()
        elif self._limit < self._room:
            self._set(min(self._room, self._limit + 1 / self._limit))
        else:
            self._set(self._limit + 1 / self._limit / self._caution)
            if self._limit >= self._room + 2:  # there is more room by now
                self._room, self._caution = self._most, CAUTION

    def refused(self, wait: float) -> None:
        """Note that the server had no room for a request, and wants to be left alone for ``wait`` seconds."""
        held = int(self.limiter.borrowed_tokens) - 1
        if held >= self._room:
            self._caution *= 2
        self._room = held or math.inf  # a server that works on nothing tells nothing of its room
        self._calm = max(self._calm, time.monotonic() + wait)
        self._set(held * DECREASE)
        self._begin_round()
        self._best, self._idle_rounds = 0.0, 0

    @property
    def calm(self) -> float:
        """Seconds for which the server wants no new request; 0 while it takes several at once."""
        return max(0.0, self._calm - time.monotonic()) if self.limiter.total_tokens == 1 else 0.0

    def _weigh(self) -> None:
        """After a round of answers, see whether more requests at once brought more answers a second."""
        self._answers += 1
        if self._answers < self._round or self._limit == self._most:
            return
        rate = self._answers / max(time.monotonic() - self._began, 1e-9)
        self._idle_rounds = 0 if rate >= GAIN * self._best else self._idle_rounds + 1
        self._best = max(self._best, rate)
        if self._idle_rounds == 2:  # one may be chance
            self._room = self._limit / 4
            self._set(self._room)
        self._begin_round()

    def _begin_round(self) -> None:
        self._answers, self._round, self._began = 0, self._limit, time.monotonic()

    def _set(self, limit: float) -> None:
        self._limit = min(max(1.0, limit), self._most)
        self.limiter.total_tokens = int(self._limit)


class Place:
    """One request's place among those under way; a refused one gives it up while it waits."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._held: bool | None = None

    async def take(self) -> None:
        """Wait for a place, unless it is held still; the first time also as long as the server wants calm."""
        if self._held:
            return
        await self._pace.limiter.acquire()
        new, self._held = self._held is None, True
        if new and (calm := self._pace.calm):
            await anyio.sleep(calm)

    def leave(self) -> None:
        """Give the place up."""
        if self._held:
            self._pace.limiter.release()
            self._held = False
