from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace

import anyio
import pytest

from nlptasks.backends.base import Backend
from nlptasks.backends.openai import fleet, pace
from nlptasks.backends.openai.pace import FIRST, Pace
from nlptasks.records import Completion, Message, Request
from nlptasks.testing.faults import status
from nlptasks.testing.servers import Exchange, FaultServer, ok

Serve = Callable[..., tuple[FaultServer, Backend]]


def ask(text: str = "hello") -> Request:
    return Request((Message("user", text),))


class Crowd:
    """Requests without end to a server with ``room`` for some: a round answers all those it has, and takes new ones."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, most: int = 256) -> None:
        self.now = 0.0
        monkeypatch.setattr(pace, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.pace = Pace(most)
        self.limiter = self.pace.limiter
        self.inside: list[object] = []

    @property
    def limit(self) -> float:
        return self.limiter.total_tokens

    def round(self, room: int, seconds: float = 1.0, wanted: int = 1000) -> tuple[int, int]:
        """Return how many requests were answered, and how many refused."""
        finishing, self.inside, refused = self.inside, [], 0
        self.now += seconds
        for left, one in reversed(list(enumerate(finishing))):
            self.pace.answered()
            self.limiter.release_on_behalf_of(one)
            refused += self._send(room - left, wanted)
        return len(finishing), refused + self._send(room, wanted)

    def _send(self, room: int, wanted: int) -> int:
        refused = 0
        while self.limiter.borrowed_tokens < min(self.limit, wanted):
            one = object()
            self.limiter.acquire_on_behalf_of_nowait(one)
            if len(self.inside) < room:
                self.inside.append(one)
            else:
                self.pace.refused(0)
                self.limiter.release_on_behalf_of(one)
                refused += 1
        return refused


def in_loop(test: Callable[[], None]) -> None:
    async def run() -> None:
        test()

    anyio.run(run)


@pytest.mark.parametrize("room", [1, 7, 20, 64, 150])
def test_the_room_of_a_server_is_found(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    def test() -> None:
        crowd = Crowd(monkeypatch)
        answered, refused = zip(*(crowd.round(room) for _ in range(100)), strict=True)
        assert sum(answered) >= 0.9 * room * len(answered)
        assert sum(refused[10:]) <= 10

    in_loop(test)


def test_more_room_is_found_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def test() -> None:
        crowd = Crowd(monkeypatch)
        for _ in range(100):
            crowd.round(20)
        for _ in range(300):
            crowd.round(100)
        assert crowd.limit >= 80

    in_loop(test)


def test_nothing_is_learnt_from_less_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    def test() -> None:
        crowd = Crowd(monkeypatch)
        for _ in range(20):
            crowd.round(1000, wanted=FIRST // 2)
        assert crowd.limit == FIRST

    in_loop(test)


def test_the_most_is_never_exceeded(monkeypatch: pytest.MonkeyPatch) -> None:
    def test() -> None:
        crowd = Crowd(monkeypatch, most=3)
        assert [crowd.round(1000)[0] for _ in range(20)] == [0, *[3] * 19]

    in_loop(test)


def test_a_server_that_lets_requests_wait_is_not_flooded(monkeypatch: pytest.MonkeyPatch) -> None:
    def test() -> None:
        crowd = Crowd(monkeypatch)
        for _ in range(20):  # it answers eight requests a second, however many there are
            crowd.round(1000, seconds=len(crowd.inside) / 8)
        assert crowd.limit <= 3 * FIRST

    in_loop(test)


def test_none_is_lost_at_a_server_with_little_room(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "backoff", lambda tried: 0.02)
    refusals: list[str] = []

    def behave(exchange: Exchange) -> None:
        if exchange.server.running > 5:
            refusals.append(exchange.text)
            status(429)(exchange)
        else:
            exchange.server.stopping.wait(0.01)
            ok(exchange)

    server, backend = serve(behave, max_retries=20)
    answers = backend.complete([ask(str(number)) for number in range(300)])
    assert [answer.text for answer in answers if isinstance(answer, Completion)] == [str(n) for n in range(300)]
    assert refusals
    assert len(server.requests) == 300 + len(refusals)


def test_a_refused_request_gives_its_place_to_another(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    again = threading.Event()

    async def sleep(seconds: float) -> None:
        while not again.is_set():
            await anyio.lowlevel.checkpoint()

    monkeypatch.setattr(anyio, "sleep", sleep)
    refused: list[str] = []

    def behave(exchange: Exchange) -> None:
        if exchange.text == "refused" and not refused:
            refused.append(exchange.text)
            status(429)(exchange)
        else:
            ok(exchange)

    _, backend = serve(behave, concurrency=1)
    with backend.open() as session:
        session.put(1, ask("refused"))
        session.put(2, ask("other"))
        assert session.get()[0] == 2
        again.set()
        assert session.get()[0] == 1


def test_a_server_that_refuses_everything_is_left_alone(serve: Serve, waits: list[float]) -> None:
    server, backend = serve(status(429, retry_after="60"), ok, concurrency=1)
    backend.complete([ask("first"), ask("second")])
    assert len(server.requests) == 3
    assert len(waits) == 2  # the refused one, and the one that was not sent yet
    assert all(wait > 50 for wait in waits)
