"""The statistics of many rows, by every core there is."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from nlptasks.metrics.base import Metric

if TYPE_CHECKING:
    from nlptasks.metrics.base import Statistics

WORTH_IT = 2000
"""Rows from which on processes cost less than they save."""
SLICES = 4
"""Slices for each process, so that one with long texts holds nobody up."""

WATCH_S = 0.5
"""How often a process looks whether the one that wants its work is still there."""


def statistics(
    metric: Metric,
    predictions: Sequence[str],
    references: Sequence[Sequence[str]],
    columns: Mapping[str, Sequence[Any]],
) -> Statistics:
    """Return ``metric.statistics``; many rows are divided among processes where the metric and the system allow it."""
    workers = cores()
    if not metric.divisible or len(predictions) < WORTH_IT or workers < 2 or not _can_fork():
        return metric.statistics(predictions, references, **columns)
    bounds = np.linspace(0, len(predictions), workers * SLICES + 1).astype(int).tolist()
    cuts = [slice(start, end) for start, end in pairwise(bounds)]
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(workers, context, _begin, (os.getpid(),)) as pool:
        parts = pool.map(
            _statistics,
            [metric] * len(cuts),
            [predictions[cut] for cut in cuts],
            [references[cut] for cut in cuts],
            [{name: values[cut] for name, values in columns.items()} for cut in cuts],
        )
        found = np.concatenate(list(parts))
    # what a signature tells of the data, the number of references, this process has not seen yet
    each = list({len(texts): row for row, texts in enumerate(references)}.values())
    seen = {name: [values[row] for row in each] for name, values in columns.items()}
    metric.statistics([predictions[row] for row in each], [references[row] for row in each], **seen)
    return found


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _can_fork() -> bool:
    """Whether a copy of this process would work: other threads, and the locks they hold, are not copied well."""
    return "fork" in multiprocessing.get_all_start_methods() and threading.active_count() == 1


def _begin(parent: int) -> None:
    """Leave interrupts to the parent, and end with it: one that was killed can tell nobody."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_S)
    os._exit(1)


def _statistics(
    metric: Metric,
    predictions: Sequence[str],
    references: Sequence[Sequence[str]],
    columns: Mapping[str, Sequence[Any]],
) -> Statistics:
    return metric.statistics(predictions, references, **columns)
