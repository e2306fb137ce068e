"""What happens beside the updates: when to evaluate, which state to keep, when to stop, and who is told."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from nlptasks.training.buckets import Plan
from nlptasks.training.families.base import Family
from nlptasks.training.options import TrainingOptions
from nlptasks.training.standing import Standing, Update, Watch, figures


class Course(TrainerCallback):  # type: ignore[misc]
    """Goes with one training; ``best`` are kept in ``folder``."""

    def __init__(self, family: Family, plan: Plan, sizes: Sequence[int], folder: Path, watch: Watch) -> None:
        self._family, self._plan, self._folder, self._watch = family, plan, folder, watch
        self._sizes = sizes
        self._tokens = 0
        self._spent = 1e-9
        self._since = time.perf_counter()
        self.evaluates = False

    @property
    def _options(self) -> TrainingOptions:
        return self._family.options

    def best_folder(self, step: int) -> Path:
        """Where the weights after an update are kept while they are the best."""
        return self._folder / f"best-{step}"

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._since = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._spent += time.perf_counter() - self._since
        self._tokens += sum(self._sizes[row] for row in self._plan.batches[state.global_step - 1])
        every = self._options.evaluate_every
        due = state.global_step % every == 0 if every else state.global_step in self._plan.ends
        control.should_evaluate = self.evaluates and (due or state.global_step == len(self._plan.batches))

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        entry = logs or {}
        if "loss" in entry or figures(entry):
            step, speed = state.global_step, self._tokens / self._spent
            epoch, steps = self._plan.epoch(step), len(self._plan.batches)
            self._watch(Update(step, steps, epoch, entry.get("loss"), speed, figures(entry)))

    def on_evaluate(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        standing = Standing.of(state.log_history, self._options.metric)
        assert standing
        if standing.step == state.global_step:
            self._family.save(model, self.best_folder(standing.step))
            for other in self._folder.glob("best-*"):
                if other != self.best_folder(standing.step):
                    shutil.rmtree(other)
        control.should_training_stop |= self.is_over(state.log_history)

    def is_over(self, history: Sequence[Mapping[str, Any]]) -> bool:
        """Whether the evaluations have not become better for as long as the user's patience lasts."""
        standing, patience = Standing.of(history, self._options.metric), self._options.patience
        return standing is not None and patience is not None and standing.since >= patience
