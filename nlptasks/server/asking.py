"""Waiting for answers, on behalf of a client that may leave before they are there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request

from nlptasks.engine import Engine
from nlptasks.records import Delta, Failure, Record, Sample
from nlptasks.server.desk import Call
from nlptasks.server.service import Service

Event = tuple[int, Delta | Record]
"""Which of the samples, and a piece of its answer or its record."""


class GoneError(Exception):
    """The client has left."""


@dataclass(frozen=True)
class Question:
    """Samples of one task with the engine that has its options."""

    service: Service
    task: str
    engine: Engine
    samples: Sequence[Sample]

    def events(self, stream: bool) -> AsyncGenerator[Event, None]:
        """Ask at once; yield every sample's record as it is done, with pieces of it before if ``stream``.

        Leaving early drops the others.

        Raises:
            FullError: there is no room, and nothing was begun.
        """
        loop, arrived = asyncio.get_running_loop(), asyncio.Queue[Event]()

        def hand(index: int, item: Delta | Record) -> None:
            with suppress(RuntimeError):  # the server ended without waiting any longer
                loop.call_soon_threadsafe(arrived.put_nowait, (index, item))

        def call(index: int, sample: Sample) -> Call:
            return Call(self.engine, sample, partial(hand, index), partial(hand, index) if stream else None)

        calls = {index: call(index, sample) for index, sample in enumerate(self.samples)}
        self.service.desk.submit(list(calls.values()))
        return self._arriving(calls, arrived)

    async def _arriving(self, calls: dict[int, Call], arrived: asyncio.Queue[Event]) -> AsyncGenerator[Event, None]:
        end = time.monotonic() + self.service.bounds.seconds
        try:
            while calls:
                try:
                    index, item = await asyncio.wait_for(arrived.get(), end - time.monotonic())
                except asyncio.TimeoutError:
                    for index, late in calls.items():
                        yield index, self._counted(Record(late.sample, self._too_late()))
                    return
                if isinstance(item, Record):
                    del calls[index]
                    self._counted(item)
                yield index, item
        finally:
            for left in calls.values():
                self.service.desk.drop(left)

    async def records(self, request: Request) -> list[Record]:
        """Return the record of every sample, in their order.

        Raises:
            FullError: there is no room.
            GoneError: the client left; what it asked for is dropped.
        """
        working = asyncio.ensure_future(self._collected(self.events(stream=False)))
        leaving = asyncio.ensure_future(_gone(request))
        try:
            await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise GoneError
            return working.result()
        finally:
            working.cancel()
            leaving.cancel()

    async def _collected(self, arriving: AsyncGenerator[Event, None]) -> list[Record]:
        async with aclosing(arriving) as events:
            found = {index: item async for index, item in events if isinstance(item, Record)}
        return [found[index] for index in range(len(self.samples))]

    def _counted(self, record: Record) -> Record:
        self.service.metrics.add(self.task, record)
        return record

    def _too_late(self) -> Failure:
        return Failure("timeout", f"No answer within {self.service.bounds.seconds:g} s.", retryable=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
