from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support import Cli, run_cli

pytest_plugins = ["nlptasks.testing.fixtures"]

Tiny = Callable[[str], Path]

# A job in the background ignores Ctrl-C, and so would the processes that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """Take back what a command that ran in this process made of the log."""
    log = logging.getLogger("nlptasks")
    handlers, level = list(log.handlers), log.level
    yield
    log.handlers[:] = handlers
    log.setLevel(level)


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the tests out of the user's settings, cache and plugins, and every process off the hub."""
    home = tmp_path_factory.mktemp("home")
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(home))
    for name in [name for name in os.environ if name.startswith(("NLPTASKS_", "OPENAI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Run the command line in an empty directory."""
    return partial(run_cli, cwd=tmp_path)


@pytest.fixture(scope="session")
def tiny(tiny_model: Tiny) -> Tiny:
    """Build a tiny model of a family, once per session: ``tiny("llama")`` returns its folder."""
    return tiny_model


@pytest.fixture(scope="session")
def transformers_serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a real server, started when the first test asks for it; its models are the paths of ``tiny``."""
    pytest.importorskip("fastapi", reason="transformers serve needs the extra: pip install 'nlptasks[serving]'")
    from nlptasks.testing.serving import transformers_serve

    with transformers_serve(tmp_path_factory.mktemp("serve")) as base_url:
        yield base_url
