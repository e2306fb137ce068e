"""``nlptasks.evaluate``: run and score in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlptasks.backends.base import Backend
from nlptasks.evaluation.dataset import Data
from nlptasks.evaluation.results import Scores
from nlptasks.evaluation.samples import Selection
from nlptasks.evaluation.trial_run import Borrowed, Evaluation, Measures, Storage, Trials
from nlptasks.job import Job, PromptOverride, load_task, prepare, task_options, told_apart
from nlptasks.runs import LogContent

if TYPE_CHECKING:
    from nlptasks.metrics.base import Metric


def evaluate(
    task: str,
    data: Data,
    *,
    model: str | Backend | None = None,
    metrics: str | Sequence[str | Metric] | None = None,
    by: str | None = None,
    lang: str | None = None,
    columns: Mapping[str, str] | None = None,
    defaults: Mapping[str, Any] | None = None,
    shots: int = 0,
    shots_from: Data | None = None,
    limit: int | None = None,
    epochs: int = 1,
    max_error_rate: float | None = None,
    output: str | Path | None = None,
    overwrite: bool = False,
    log_content: LogContent = "full",
    judge: str | None = None,
    encoder: str | None = None,
    system: str | None = None,
    prompt: str | None = None,
    cache: bool | None = None,
    **options: Any,
) -> Scores:
    """Run a task on data with references, and score it. The same call resumes a run that was stopped.

    Args:
        task: a registered task, such as ``"summarization"``.
        data: rows, such as a list of dicts or a ``datasets.Dataset``; or a file or folder, the name of a benchmark,
            or ``"benchmark=path"`` for a benchmark's own files.
        model: ``provider/model`` or a Backend; None takes the configured default.
        metrics: names, such as ``"rouge,chrf:word_order=2"``, or metrics; None takes the benchmark's or the task's.
        by: a column by whose values to break the scores down.
        lang: the language to score the answers in; None goes by the data.
        columns: what the data call a column: ``{"document": "article"}``.
        defaults: input columns that rows lack, such as ``{"target_lang": "de"}``.
        shots: how many solved examples to show with every question.
        shots_from: data to draw them from; None draws them from ``data``, and does not test them.
        limit: test so many rows only.
        epochs: how often to ask every question.
        max_error_rate: the share (0-1) of samples that may fail before the run is stopped; None for any.
        output: the run directory; None makes one under ``runs/`` whose name tells what it is of.
        overwrite: begin again where the run directory is there already.
        log_content: what of the texts the log keeps: ``"full"``, ``"hash"`` or ``"none"``.
        judge: ``provider/model`` of a judge, which adds the metric ``llm_judge``.
        encoder: an encoder to add the metric ``embedding_similarity`` with.
        system: a system prompt in place of the task's own (a jinja2 template).
        prompt: a user prompt in place of the task's own (a jinja2 template over the input and options).
        cache: whether to keep completions in the response cache; None takes the configured default.
        options: options of the task or of the backend.

    Raises:
        UsageError, RunError, PluginError, BackendError: each says what to do.
    """
    loaded = load_task(task, PromptOverride(system, prompt))
    selection = Selection(columns or {}, defaults or {}, limit, epochs, shots, shots_from)
    trials = Trials.prepare(loaded, data, selection, Measures(metrics, by, lang, judge, encoder), max_error_rate)
    if isinstance(model, Backend):
        name = model.identity().get("model") or type(model).__name__
        job = Job(loaded, task_options(loaded, options), Borrowed(name, backend=model))
    else:
        job = prepare(loaded, *told_apart(loaded, options, model), model, cache)
    evaluation = Evaluation(job, trials, Storage(Path(output) if output else None, overwrite, log_content))
    for _ in evaluation.work():
        pass
    return evaluation.score()
