"""What the head of every table says: the machine and the versions."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def machine(packages: Sequence[str]) -> str:
    """Return two lines: the processor with its cores and load, and the versions of ``packages``."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    name = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())
    cores = len(os.sched_getaffinity(0))
    head = f"{name}, {cores} cores, load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}"
    return f"{head}\nPython {platform.python_version()}, {', '.join(f'{one} {_version(one)}' for one in packages)}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"
