"""``nlptasks.train``: a task learnt from data, by a model that is there or by one that begins from nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlptasks.backends.hf.quiet import quiet
from nlptasks.errors import StoppedError
from nlptasks.job import PromptOverride, load_task
from nlptasks.training.compute import wait_passively
from nlptasks.training.examples import Data, as_data
from nlptasks.training.folder import Record, TrainingFolder
from nlptasks.training.learning import Training
from nlptasks.training.setup import Setup
from nlptasks.training.standing import Update, Watch
from nlptasks.training.start import Start

log = logging.getLogger("nlptasks")
Given = str | Path | Data | Mapping[str | Path, float] | Sequence[str | Path | Data]


@dataclass(frozen=True)
class TrainingResult:
    """What was learnt: ``model`` is the name to use it by, ``scores`` are those of the state that was kept."""

    model: str
    output: Path
    steps: int
    scores: Mapping[str, float]
    history: Sequence[Mapping[str, Any]]


def train(
    task: str,
    data: Given,
    *,
    output: str | Path,
    model: str | None = None,
    config: str | None = None,
    evaluation: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
    defaults: Mapping[str, Any] | None = None,
    system: str | None = None,
    prompt: str | None = None,
    licence: str = "",
    overwrite: bool = False,
    watch: Watch | None = None,
    **options: Any,
) -> TrainingResult:
    """Train a model for a task; the same call resumes a training that was stopped.

    Args:
        task: a registered task, such as ``"summarization"``.
        data: a file, several, a mapping of files to weights, or ``Data`` with columns of their own.
        output: the folder that the model is written to; ``"hf/" + output`` loads it.
        model: ``hf/<folder or hub id>`` of the model to begin with.
        config: in place of a model, what to make from nothing: ``"small"``, ``"translator-small"`` or a config file
            of transformers.
        evaluation: what to evaluate on while training, as for ``evaluate``; the best state is kept.
        columns: what the data call a column: ``{"document": "article"}``.
        defaults: input columns that rows lack, such as ``{"target_lang": "de"}``.
        system: a system prompt in place of the task's own (a jinja2 template).
        prompt: a user prompt in place of the task's own (a jinja2 template over the input and options).
        licence: the licence of the data, for the model card.
        overwrite: begin again where the output is there already.
        watch: is called with every ``Update``.
        options: fields of ``TrainingOptions``, options of the task or of the backend.

    Raises:
        UsageError, RunError, PluginError, BackendError: each says what to do.
    """
    setup = Setup(
        load_task(task, PromptOverride(system, prompt)),
        as_data(data, columns or {}, defaults or {}),
        model,
        Path(output),
        config=config,
        evaluation=None if evaluation is None else str(evaluation),
        columns=columns or {},
        defaults=defaults or {},
        licence=licence,
    )
    return run(setup.with_options(options), overwrite, watch or (lambda update: None))


def run(setup: Setup, overwrite: bool, watch: Watch) -> TrainingResult:
    """Do what ``setup`` says, or go on with it.

    Raises:
        StoppedError: interrupted; the same call goes on.
    """
    wait_passively()
    start = Start.of(setup)
    with TrainingFolder(setup.output, Record(setup.fingerprint(start.identity()), setup.environment())) as folder:
        if folder.begin(overwrite):
            log.warning("%s is trained already: --overwrite trains it again.", setup.output)
            return _result(folder)
        try:
            family = start.family(folder.work)
            with quiet():
                Training(setup, family, folder, watch).work()
        except KeyboardInterrupt:
            raise StoppedError("Stopped: run the same command to go on from the last checkpoint.") from None
        return _result(folder)


def _result(folder: TrainingFolder) -> TrainingResult:
    record = folder.record
    return TrainingResult(f"hf/{folder.path}", folder.path, record.step, record.scores, record.history)


__all__ = ["Data", "TrainingResult", "Update", "train"]
