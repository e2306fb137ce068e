"""The command line as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """What a process left: exit code, stdout and stderr."""

    code: int
    out: str
    err: str


Cli = Callable[..., Outcome]


def run_cli(*arguments: object, stdin: str | bytes = b"", cwd: Path) -> Outcome:
    """Run nlptasks without a terminal."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    command = [sys.executable, "-m", "nlptasks", *map(str, arguments)]
    done = subprocess.run(command, input=data, capture_output=True, cwd=cwd, timeout=120, check=False)
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())
