from __future__ import annotations

import socket
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest

from nlptasks.backends.base import Backend
from nlptasks.backends.guarded import Guards
from nlptasks.backends.openai import Options, fleet, load
from nlptasks.plugin import PluginManager
from nlptasks.testing.servers import Behaviour, FaultServer

Serve = Callable[..., tuple[FaultServer, Backend]]
Plug = Callable[..., Guards]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start a server that behaves as the script says, and a backend that asks it, without waits between tries."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(fleet, "backoff", lambda tried: 0.0)
    with ExitStack() as stack:

        def start(*script: Behaviour, **options: Any) -> tuple[FaultServer, Backend]:
            server = stack.enter_context(FaultServer(*script))
            settings = {"base_url": server.base_url, "timeout": 20.0, "max_retries": 2, **options}
            return server, stack.enter_context(load("tiny", Options(**settings)))

        yield start


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds waited between tries, which then take no time."""
    seconds: list[float] = []

    async def sleep(delay: float) -> None:
        seconds.append(delay)

    monkeypatch.setattr(anyio, "sleep", sleep)
    return seconds


@pytest.fixture
def plug(tmp_path: Path) -> Iterator[Plug]:
    """Load plugins given as name=code and return their guards."""
    loaded = []

    def guards(**plugins: str) -> Guards:
        manager = PluginManager(only=[])
        for name, code in plugins.items():
            file = tmp_path / f"guard_{name}.py"
            file.write_text(textwrap.dedent(code.replace("NAME", name)))
            loaded.append(file.stem)
            manager.add_file(file)
        return Guards(manager)

    yield guards
    for name in loaded:
        sys.modules.pop(name, None)
