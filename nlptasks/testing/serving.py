"""A real OpenAI-compatible server on loopback: ``transformers serve`` (the extra ``serving``)."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE = 120
"""Seconds the server may take to start."""


@contextmanager
def transformers_serve(home: Path) -> Iterator[str]:
    """Run ``transformers serve`` and yield its base URL. It names a model by the path of its folder.

    ``home`` is an empty folder for the server's cache and its log. The server never uses the network.
    Raises ``RuntimeError`` with the end of its log if it does not start.
    """
    (home / "hub").mkdir()  # without it the server cannot list its models
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    offline = {"HF_HOME": str(home), "HF_HUB_CACHE": str(home / "hub"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    log = home / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=os.environ | offline, stdout=output, stderr=subprocess.STDOUT)
    try:
        if not _listens(process, port):
            raise RuntimeError(f"transformers serve does not start: {log.read_text(errors='replace')[-2000:]}")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait()


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        time.sleep(0.1)
    return False
