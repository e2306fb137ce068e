"""The pytest plugin: what a test of a plugin needs around it. Nothing heavy is imported before it is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from nlptasks.backends.base import Backend
    from nlptasks.backends.factory import BackendFactory
    from nlptasks.testing.command import Cli
    from nlptasks.testing.scripted import ScriptedBackend
    from nlptasks.testing.servers import FaultServer

HOMES = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "APPDATA", "LOCALAPPDATA")


@pytest.fixture
def echo_backend() -> Backend:
    """A backend that repeats what it is given."""
    from nlptasks.backends.echo import Echo

    return Echo()


@pytest.fixture(scope="session")
def scripted_backend() -> Callable[..., ScriptedBackend]:
    """Make a backend that says what it is told to: ``scripted_backend("yes")``; see ``ScriptedBackend``."""
    from nlptasks.testing.scripted import ScriptedBackend

    return ScriptedBackend


@pytest.fixture(scope="session")
def fault_server() -> Iterator[Callable[..., FaultServer]]:
    """Start an OpenAI-compatible server that behaves as told: ``fault_server(status(500), ok).base_url``.

    The behaviours are ``nlptasks.testing.servers.ok`` and those of ``nlptasks.testing.faults``. A server runs to the
    end of the session; without a script it echoes.
    """
    from nlptasks.testing.servers import FaultServer

    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")  # read when a client is made
        yield lambda *script, **settings: stack.enter_context(FaultServer(*script, **settings))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Build a tiny model of a family, once per session: ``tiny_model("llama")`` returns its folder.

    The families are the keys of ``nlptasks.testing.models.BUILDERS``. The weights are random, and always the same.
    """
    import torch

    from nlptasks.testing.models import tiny_model

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("models")
    return cache(lambda family: tiny_model(family, folder / family))


class KeptOpen:
    """Keeps one backend open for as long as the same is asked for: a model is not loaded for each test anew."""

    def __init__(self) -> None:
        self._factory: BackendFactory | None = None
        self._stack = ExitStack()

    def __call__(self, factory: BackendFactory, build: Callable[[BackendFactory], Backend]) -> Backend:
        """Return what ``build`` makes of ``factory``, open."""
        if factory != self._factory:
            self.close()
            self._backend = self._stack.enter_context(build(factory))
            self._factory = factory
        return self._backend

    def close(self) -> None:
        """Close the backend."""
        self._factory = None
        self._stack.close()


@pytest.fixture(scope="session")
def kept_open() -> Iterator[KeptOpen]:
    """What keeps a backend open from one test to the next."""
    with closing(KeptOpen()) as kept:
        yield kept


@pytest.fixture
def cli_runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run the command line in an empty folder, apart from the user's settings and from the Hub.

    ``cli_runner("tasks", "list").out`` is what it prints; ``stdin`` is what is piped in.
    """
    from nlptasks.testing.command import run_cli

    for name in [name for name in os.environ if name.startswith("NLPTASKS_")]:
        monkeypatch.delenv(name)
    for name in HOMES:
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = tmp_path / "here"
    folder.mkdir()
    return partial(run_cli, cwd=folder)
