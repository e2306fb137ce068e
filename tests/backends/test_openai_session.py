from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from nlptasks.backends.base import Backend
from nlptasks.backends.openai import fleet
from nlptasks.records import Completion, Failure, Message, Request
from nlptasks.testing.faults import at_most, drip, hang, mute, status
from nlptasks.testing.servers import Exchange, FaultServer, ok

Serve = Callable[..., tuple[FaultServer, Backend]]


def ask(text: str = "hello") -> Request:
    return Request((Message("user", text),))


def test_a_dead_server_does_not_keep_every_row_waiting(serve: Serve) -> None:
    server, backend = serve(mute, concurrency=1)
    answers = backend.complete([ask(str(number)) for number in range(50)])
    assert {type(answer) for answer in answers} == {Failure}
    assert len({answer.message for answer in answers if isinstance(answer, Failure)}) == 1
    assert len(server.requests) == 3 * 3


def test_a_refused_connection_does_not_keep_every_row_waiting(
    serve: Serve, waits: list[float], closed_port: int
) -> None:
    _, backend = serve(base_url=f"http://127.0.0.1:{closed_port}/v1", concurrency=1)
    assert all(isinstance(answer, Failure) for answer in backend.complete([ask()] * 50))
    assert len(waits) == 3 * 2


def test_a_server_that_speaks_is_not_given_up(serve: Serve) -> None:
    server, backend = serve(status(500), concurrency=1, max_retries=0)
    backend.complete([ask()] * 10)
    assert len(server.requests) == 10


def test_a_new_session_asks_a_dead_server_again(serve: Serve) -> None:
    _, backend = serve(*[mute] * 3, ok, concurrency=1, max_retries=0)
    assert all(isinstance(answer, Failure) for answer in backend.complete([ask()] * 5))
    assert all(isinstance(answer, Completion) for answer in backend.complete([ask()] * 5))


def test_no_more_than_the_limit_at_once(serve: Serve) -> None:
    server, backend = serve(at_most(3), concurrency=3)
    assert all(isinstance(answer, Completion) for answer in backend.complete([ask()] * 20))
    assert 1 < server.peak <= 3


def test_a_limited_server_is_asked_again(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "backoff", lambda tried: 0.05)
    server, backend = serve(at_most(2, seconds=0.01), concurrency=4, max_retries=50)
    assert all(isinstance(answer, Completion) for answer in backend.complete([ask()] * 20))
    assert len(server.requests) > 20


def test_answers_come_as_they_are_done(serve: Serve) -> None:
    late = threading.Event()

    def behave(exchange: Exchange) -> None:
        if exchange.text == "slow":
            late.wait()
        ok(exchange)

    _, backend = serve(behave, concurrency=2)
    with backend.open() as session:
        assert session.room == 4
        session.put("a", ask("slow"))
        session.put("b", ask("fast"))
        assert session.room == 2
        assert session.get()[0] == "b"
        assert session.room == 3
        late.set()
        key, answer = session.get()
    assert key == "a"
    assert isinstance(answer, Completion)


def test_closing_a_session_drops_its_requests(serve: Serve) -> None:
    server, backend = serve(drip, timeout=600)
    session = backend.open()
    session.put(0, ask())
    _until(lambda: server.running == 1)
    session.close()
    _until(lambda: server.running == 0)


def test_closing_the_backend_drops_every_request(serve: Serve) -> None:
    server, backend = serve(drip, timeout=600)
    backend.open().put(0, ask())
    _until(lambda: server.running == 1)
    backend.close()
    _until(lambda: server.running == 0)


def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # a hanging test is ended by pytest-timeout
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT cannot be sent to one process on Windows")
def test_ctrl_c_ends_a_wait(serve: Serve) -> None:
    server, _ = serve(hang)
    code = f"""
from nlptasks.backends.openai import Options, load
from nlptasks.records import Message, Request
with load("tiny", Options(base_url={server.base_url!r})) as backend, backend.open() as session:
    session.put(0, Request((Message("user", "hello"),)))
    print("waiting", flush=True)
    try:
        session.get()
    except KeyboardInterrupt:
        print("interrupted")
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        _until(lambda: server.running == 1)
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "interrupted\n"
    assert process.returncode == 0


@pytest.mark.parametrize("ask", ["print(chat('Hi').reply)", "print(list(chat.stream('Hi'))[-1].reply)"])
def test_a_script_that_leaves_its_backend_open_ends(ask: str) -> None:
    with FaultServer() as server:
        code = (
            f"import nlptasks; chat = nlptasks.task('chat', model='openai/tiny', base_url={server.base_url!r}); {ask}"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Hi\n", "")
