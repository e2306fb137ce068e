"""The engine's pool on sessions that stall, reorder, fail and lie, while clients come and go."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nlptasks.backends.base import Answer, Session
from nlptasks.engine import Engine
from nlptasks.engine.pool import Pool
from nlptasks.records import Failure, Record, Request, Sample
from tests.abuse.damage import fuzzed
from tests.backends.scripted import Recording, shout
from tests.test_engine import PLAN, Nothing, Plan, Planned, check


class Moody(Session[Any]):
    """Says now and then that nothing is ready, answers in any order, and gives a request up or not."""

    def __init__(self, chance: random.Random, room: int) -> None:
        self._chance, self._room = chance, room
        self.held: dict[Any, Request] = {}
        self.dropped: set[Any] = set()

    @property
    def room(self) -> int:
        return self._room - len(self.held)

    def put(self, key: Any, request: Request) -> None:
        assert self.room > 0
        assert key not in self.held
        self.held[key] = request

    def get(self) -> tuple[Any, Answer]:
        key = self._chance.choice([*self.held])
        return key, shout(self.held.pop(key))

    def poll(self, seconds: float) -> tuple[Any, Answer] | None:
        assert self.held, "asked only while something is held"
        return None if self._chance.random() < 0.4 else self.get()

    def drop(self, key: Any) -> bool:
        assert key not in self.dropped, "each is given up once"
        if key not in self.held or self._chance.random() < 0.5:
            return False
        self.dropped.add(key)
        del self.held[key]
        return True


@fuzzed
@given(st.lists(PLAN, max_size=40), st.integers(0, 10_000), st.integers(1, 9))
def test_who_stays_gets_one_record_and_who_leaves_none(plans: list[Plan], seed: int, room: int) -> None:
    chance, task = random.Random(seed), Planned()
    engine, session = Engine(task, Nothing(), Recording()), Moody(chance, room)
    samples = [Sample(str(number), plan, index=number) for number, plan in enumerate(plans)]
    pool, gone, done = Pool(session, engine.start, 0.0), set[str](), dict[str, Record]()

    def coming() -> Iterator[Sample | None]:
        for sample in samples:
            while chance.random() < 0.3:
                if pool.live and chance.random() < 0.5:
                    leave(chance.choice(samples))
                yield None
            yield sample

    def leave(sample: Sample) -> None:
        live = any(one.sample is sample for one in pool._live.values())
        pool.drop(sample)
        if live:
            gone.add(sample.id)

    for record in pool.run(coming()):
        assert record.sample.id not in done
        done[record.sample.id] = record
        if record.result != Failure("own", "the task gave up"):
            check(plans[record.sample.index], record)
    assert done.keys() | gone == {sample.id for sample in samples}
    assert not done.keys() & gone
    assert task.live == 0
    assert not pool.live
