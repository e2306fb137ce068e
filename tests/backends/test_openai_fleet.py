"""Several servers asked as one: the load is shared, and nobody waits for one that is gone."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from nlptasks.backends.openai import Options, load
from nlptasks.backends.openai.fleet import LONGEST_BACKOFF, LONGEST_REST, Member, backoff
from nlptasks.records import Completion, Failure
from nlptasks.testing.faults import status
from nlptasks.testing.servers import FaultServer, ok
from tests.backends.test_openai import ask
from tests.benchmarks.fleet import Server


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        return [stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(count)]


@contextmanager
def servers(count: int) -> Iterator[list[Server]]:
    found = [Server(room=8, seconds=0.02) for _ in range(count)]
    try:
        yield found
    finally:
        for one in found:
            one.kill()


def fleet_of(*urls: str, **more: Any) -> Any:
    return load("m", Options(base_url=urls, **more))


def test_the_rest_of_a_server_grows_to_its_most_and_no_further() -> None:
    member = Member(None)  # type: ignore[arg-type]
    rests = []
    for _ in range(3000):  # so many may wait for a server that dies
        before = time.monotonic()
        member.fell_silent()
        rests.append(member.due - before)
    assert rests[0] < rests[1] < rests[2]
    assert max(rests) == pytest.approx(LONGEST_REST, abs=0.1)
    assert backoff(1) < 2.1 < backoff(3) < backoff(5000) == LONGEST_BACKOFF


def test_requests_go_where_least_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with servers(3) as found, fleet_of(*(f"http://127.0.0.1:{one.port}/v1" for one in found)) as backend:
        answers = backend.complete([ask(str(n)) for n in range(300)])
        assert all(isinstance(one, Completion) for one in answers)
        assert min(one.answered for one in found) > 60


def test_none_is_lost_when_a_server_dies_and_it_is_used_again_when_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with servers(3) as found, fleet_of(*(f"http://127.0.0.1:{one.port}/v1" for one in found)) as backend:

        def trouble() -> None:
            time.sleep(0.3)
            found[0].kill()
            time.sleep(1.0)
            found[0].start()

        troubling = threading.Thread(target=trouble)
        troubling.start()
        answers = list(backend.complete([ask(str(n)) for n in range(3000)]))
        troubling.join()
        end = time.monotonic() + 30
        while found[0].answered <= 50 and time.monotonic() < end:
            answers += backend.complete([ask(str(n)) for n in range(300)])
        assert [one for one in answers if isinstance(one, Failure)] == []
        assert found[0].answered > 50


def test_one_that_is_gone_costs_no_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    [closed] = free_ports(1)
    with (
        FaultServer(ok) as server,
        fleet_of(f"http://127.0.0.1:{closed}/v1", server.base_url, max_retries=0) as backend,
    ):
        answers = backend.complete([ask(str(n)) for n in range(20)])
        assert all(isinstance(one, Completion) for one in answers)


def test_where_all_are_gone_the_failure_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    urls = [f"http://127.0.0.1:{port}/v1" for port in free_ports(2)]
    with fleet_of(*urls, max_retries=1, concurrency=1) as backend:
        [answer] = backend.complete([ask("Hi")])
        assert isinstance(answer, Failure)
        assert "is the server running" in answer.message


def test_what_a_server_rejects_is_not_asked_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with FaultServer(status(400)) as first, FaultServer(status(400)) as second:
        with fleet_of(first.base_url, second.base_url) as backend:
            [answer] = backend.complete([ask("Hi")])
        assert isinstance(answer, Failure)
        assert len(first.requests) + len(second.requests) == 1


def test_the_identity_does_not_depend_on_their_order() -> None:
    one, other = fleet_of("http://a:1/v1", "http://b:2/v1"), fleet_of("http://b:2/v1", "http://a:1/v1")
    assert one.identity() == other.identity()
    assert one.identity()["base_url"] == "http://a:1/v1, http://b:2/v1"
