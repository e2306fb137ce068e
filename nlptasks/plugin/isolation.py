"""What keeps a plugin's troubles its own: its prints, its slowness, its calls home, and how its errors are told."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TextIO

from nlptasks.errors import NLPTasksError, PluginError

log = logging.getLogger("nlptasks")
SLOW_SECONDS = 3.0


class _Aside:
    """Counts who has stdout turned aside: ``contextlib.redirect_stdout`` loses it where threads overlap."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0
        self._stdout: TextIO = sys.stdout

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            if self._depth == 0:
                self._stdout, sys.stdout = sys.stdout, sys.stderr
            self._depth += 1
        try:
            yield
        finally:
            with self._lock:
                self._depth -= 1
                if self._depth == 0:
                    sys.stdout = self._stdout


stdout_aside = _Aside()
"""A context in which what is printed goes to stderr, as only answers belong on stdout."""


@contextmanager
def named_when_slow(label: str, name: str) -> Iterator[None]:
    """Warn when what is done takes longer than SLOW_SECONDS, while it still goes on."""
    advice = "Plugin %s is slow to load; leave it out with: nlptasks plugins disable %s"
    timer = threading.Timer(SLOW_SECONDS, log.warning, (advice, label, name))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


_offline = threading.local()


@contextmanager
def offline() -> Iterator[None]:
    """Refuse every connection that this thread opens.

    Raises:
        PluginError: one was tried, even where the plugin went on without it.
    """
    _install_audit()
    _offline.tried = []
    try:
        yield
    finally:
        tried, _offline.tried = _offline.tried, None
        if tried:
            raise _connected()


@cache
def _install_audit() -> None:
    """Watch this process from now on: an audit hook sees every way to connect, and cannot be removed."""
    sys.addaudithook(_audit)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.getaddrinfo") and getattr(_offline, "tried", None) is not None:
        _offline.tried.append(event)
        raise _connected()


def _connected() -> PluginError:
    return PluginError("it opens a connection while it loads: connect where the thing is used, not in a hook")


def reason(error: BaseException) -> str:
    """Return in one line what went wrong."""
    if isinstance(error, SystemExit):
        return f"it called sys.exit({error.code!r})"
    text = " ".join(str(error).split())
    return text if isinstance(error, NLPTasksError) else f"{type(error).__name__}: {text}"


def whereabouts(error: BaseException) -> str:
    """Return an error's type and place, and nothing of its message, which may quote what a user wrote."""
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    file, line = frames[-1]
    return f"{type(error).__name__} in {Path(file).name}, line {line}"


def raising(error: Exception) -> Callable[[], Any]:
    """Return a function that raises ``error``: a plugin that is broken before it could be loaded."""

    def load() -> Any:
        raise error

    return load
