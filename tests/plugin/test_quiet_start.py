"""Help and lists cost nothing: no heavy import, no socket."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WATCH = """
import atexit, json, os, sys

sockets = []
sys.addaudithook(lambda event, arguments: sockets.append(event) if event.startswith("socket.") else None)

@atexit.register
def tell():
    with open(os.environ["WATCHED"], "w") as file:
        json.dump({"modules": sorted(sys.modules), "sockets": sockets}, file)
"""
HEAVY = {
    *("torch", "transformers", "datasets", "evaluate", "httpx", "numpy", "pydantic", "jinja2", "rich", "PIL"),
    *("prompt_toolkit", "pyarrow", "sqlite3", "asyncio", "ssl", "multiprocessing"),
}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["tasks", "list"],
        ["backends", "list"],
        ["metrics", "list"],
        ["benchmarks", "list"],
        ["plugins", "list"],
        ["tasks", "list", "--json"],
        ["--version"],
    ],
    ids=" ".join,
)
def test_lists_import_nothing_heavy_and_open_no_socket(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    told = tmp_path / "told.json"
    environment = {
        **os.environ,
        "WATCHED": str(told),
        "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-m", "nlptasks", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert done.stdout
    found = json.loads(told.read_text())
    assert "nlptasks.cli.main" in found["modules"]
    assert not HEAVY & set(found["modules"])
    assert found["sockets"] == []


def test_the_watch_itself_sees_imports_and_sockets(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    told = tmp_path / "told.json"
    environment = {
        **os.environ,
        "WATCHED": str(told),
        "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]),
    }
    subprocess.run([sys.executable, "-c", "import socket, sqlite3; socket.socket()"], env=environment, check=True)
    found = json.loads(told.read_text())
    assert "sqlite3" in found["modules"]
    assert "socket.__new__" in found["sockets"]
