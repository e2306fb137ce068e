"""The command line on a pseudo-terminal."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x08")
PROMPT = r"(?<=\n)> ?$"
CTRL_C, CTRL_D = "\x03", "\x04"


class Terminal:
    """A process on a terminal of its own, whose session it leads, so that Ctrl-C is a signal to it."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.raw = ""
        self._mark = 0
        self._master, slave = os.openpty()
        os.set_blocking(self._master, False)
        command = [sys.executable, "-m", "nlptasks", *arguments]
        self._process = subprocess.Popen(
            ["sh", "-c", 'exec "$@" <"$0" >"$0" 2>&1', os.ttyname(slave), *command],
            cwd=folder,
            env={**os.environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "COLUMNS": "200"},
            start_new_session=True,
        )
        self.until(PROMPT)
        os.close(slave)

    def _wait(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not done():
            assert time.monotonic() < end, f"still waiting after:\n{self.raw}"
            if select.select([self._master], [], [], 0.05)[0]:
                try:
                    self.raw += os.read(self._master, 65536).decode("utf-8", "replace")
                except OSError:  # how Linux tells the end of a terminal
                    return

    def type(self, keys: str) -> None:
        """Press keys as they are."""
        self._mark = len(self.raw)
        os.write(self._master, keys.encode())

    def until(self, pattern: str) -> str:
        """Wait for something to be shown after the last keys; return all shown since, without control sequences."""
        self._wait(lambda: re.search(pattern, self._shown) is not None)
        return self._shown

    @property
    def _shown(self) -> str:
        return CONTROL.sub("", self.raw[self._mark :]).replace("\r", "")

    def say(self, line: str, pattern: str) -> str:
        """Enter a line and wait for something to be shown and for the next prompt."""
        self.type(f"{line}\r")
        return self.until(f"(?s){pattern}.*{PROMPT}")

    def leave(self, keys: str = CTRL_D) -> int:
        """Press keys that end the process; return its exit code."""
        self.type(keys)
        self._wait(lambda: self._process.poll() is not None)
        return self._process.wait(10)

    def crash(self) -> None:
        """End the process as it is."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Leave nothing behind."""
        self.crash()
        os.close(self._master)
