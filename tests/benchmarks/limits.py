"""What this machine can do at most: bytes read and products computed in a second, by device. Prints JSON.

Products are those of the Llama shape's layers, 1,024 tokens at once; the best of several tries counts.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor

TRIES = 20
READ = 2**28
"""Numbers of four bytes that are read."""
TOKENS, INPUTS, OUTPUTS = 1024, 576, 1536


def seconds(work: Callable[[], Tensor], device: str) -> float:
    """Return how long ``work`` takes at best."""
    times = []
    for _ in range(TRIES):
        start = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return min(times)


def of(device: str) -> dict[str, float]:
    """Return bytes and floating-point operations a second; of integers, too, on a CPU."""
    numbers = torch.ones(READ, device=device)
    half = torch.float32 if device == "cpu" else torch.bfloat16
    left, right = (torch.rand(size, device=device, dtype=half) for size in ((TOKENS, INPUTS), (OUTPUTS, INPUTS)))
    operations = 2 * TOKENS * INPUTS * OUTPUTS
    found = {
        "bytes": 4 * READ / seconds(numbers.sum, device),
        "products": operations / seconds(lambda: left @ right.t(), device),
    }
    if device == "cpu":
        whole = [(part * 100).to(torch.int8) for part in (left, right)]
        found["int8"] = operations / seconds(lambda: torch._int_mm(whole[0], whole[1].t()), device)
    return found


if __name__ == "__main__":
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    sys.stdout.write(json.dumps({device: of(device) for device in devices}) + "\n")
