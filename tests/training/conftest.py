from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from nlptasks import TrainingResult

Losses = list[tuple[int, float]]


def write(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def losses(history: Iterable[Mapping[str, Any]]) -> Losses:
    """The loss curve: at which update, which loss."""
    return [(entry["step"], entry["loss"]) for entry in history if "loss" in entry]


def same_curve(one: TrainingResult, other: TrainingResult) -> bool:
    """Whether two trainings went the same way."""
    pairs = list(zip(losses(one.history), losses(other.history), strict=True))
    return len(pairs) > 1 and all(a[0] == b[0] and abs(a[1] - b[1]) <= 1e-3 * b[1] for a, b in pairs)


def killed(arguments: str, ready: Callable[[], bool]) -> None:
    """Train in a process of its own, and kill it when ``ready``: nothing can be tidied up then."""
    code = f"import torch; torch.set_num_threads(1); import nlptasks; nlptasks.train({arguments})"
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        for _ in range(1200):
            if ready():
                break
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.05)
        else:
            raise AssertionError("it never came so far")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def checkpoints(output: Path) -> list[str]:
    return [one.parent.name for one in (output / "work").glob("checkpoint-*/trainer_state.json")]
