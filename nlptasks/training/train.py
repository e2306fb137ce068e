"""``nlptasks.train``: a task learnt from data, by a model that is there or by one that begins from nothing."""

from __future__ import annotations

import logging
import os
import time
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nlptasks.backends.hf import Options
from nlptasks.backends.hf.fingerprint import fingerprint
from nlptasks.backends.hf.loading import Source, reachable, read_config
from nlptasks.errors import NLPTasksError, RunError, StoppedError
from nlptasks.job import PromptOverride, load_task
from nlptasks.training.buckets import Part, Plan
from nlptasks.training.course import Standing, Update, Watch
from nlptasks.training.examples import Data, LeftOut, as_data, read_examples
from nlptasks.training.families import family_class
from nlptasks.training.families.base import Family, Feature
from nlptasks.training.folder import Record, TrainingFolder
from nlptasks.training.setup import Setup

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
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # spinning threads take the cores from each other
    source = reachable(Source(setup.name, Options(**setup.backend_options)))
    config = read_config(source)
    kind = family_class(source, config, setup.task.name)
    weights = fingerprint(source.folder) if source.folder else source.commit
    with TrainingFolder(setup.output, Record(setup.fingerprint(weights), setup.environment())) as folder:
        if folder.begin(overwrite):
            log.warning("%s is trained already: --overwrite trains it again.", setup.output)
            return _result(folder)
        if setup.options.learning_rate is None:
            rate = kind.rate(setup.options)
            setup = replace(setup, options=setup.options.model_copy(update={"learning_rate": rate}))
        family = kind(kind.open(source, config), setup.options)
        training = Training(setup, family, folder, watch)
        try:
            training.work()
        except KeyboardInterrupt:
            raise StoppedError("Stopped: run the same command to go on from the last checkpoint.") from None
        finally:
            family.backend.close()
        return _result(folder)


def _result(folder: TrainingFolder) -> TrainingResult:
    record = folder.record
    return TrainingResult(f"hf/{folder.path}", folder.path, record.step, record.scores, record.history)


class Training:
    """One training under way."""

    def __init__(self, setup: Setup, family: Family, folder: TrainingFolder, watch: Watch) -> None:
        self._setup, self._family, self._folder, self._watch = setup, family, folder, watch

    def work(self) -> None:
        """Learn, from the last checkpoint on where there is one, and publish the state to keep."""
        started = time.perf_counter()
        features, parts = self._features()
        from transformers import set_seed

        from nlptasks.training.course import Course
        from nlptasks.training.trainer import Batches, FamilyTrainer, arguments, last_checkpoint

        family, options = self._family, self._setup.options
        sizes = [family.sizes(feature) for feature in features]
        plan = Plan.make(sizes, parts, options)
        set_seed(options.seed)
        model = family.load()
        family.backend.adopt(model)
        course = Course(family, plan, [sum(size) for size in sizes], self._folder.work, self._watch)
        course.evaluates = self._setup.evaluation is not None
        cpu = self._setup.backend_options.get("device") == "cpu"
        trainer = FamilyTrainer(
            family,
            model,
            Batches(family, features, plan),
            arguments(self._folder.work, plan, options, cpu),
            self._judge(),
            [course],
        )
        trainer.learn(last_checkpoint(self._folder.work), course)
        record = self._folder.record
        record.history = [_plain(entry) for entry in trainer.state.log_history]
        record.step, record.steps, record.rows = trainer.state.global_step, len(plan.batches), len(features)
        record.seconds += time.perf_counter() - started
        self._publish(trainer, course)

    def _features(self) -> tuple[list[Feature], list[Part]]:
        """Return what is learnt from the data, file by file.

        Raises:
            InputError: there is nothing in a file.
        """
        features: list[Feature] = []
        parts = []
        for data in self._setup.data:
            first, left_out = len(features), LeftOut(str(data.path))
            for example in read_examples(self._setup.task, self._setup.task_options, data, left_out):
                try:
                    features += [_packed(feature) for feature in self._family.features(example)]
                except (ValueError, NLPTasksError) as error:
                    left_out.add(example.sample, str(error))
            if len(features) == first:
                raise left_out.error()
            left_out.tell()
            parts.append(Part(first, len(features), data.weight))
        return features, parts

    def _judge(self) -> Callable[[int], Mapping[str, float]] | None:
        if self._setup.evaluation is None:
            return None
        from nlptasks.evaluation.evaluate import evaluate

        setup, family = self._setup, self._family

        def judge(step: int) -> Mapping[str, float]:
            given = {} if setup.task_options is None else setup.task_options.model_dump(exclude_unset=True)
            scores = evaluate(
                setup.task.name,
                str(setup.evaluation),
                model=family.backend,
                columns=setup.columns,
                defaults=setup.defaults,
                limit=setup.options.eval_limit,
                output=self._folder.work / "evaluation",
                overwrite=True,
                system=setup.task.active_prompts.system or None,
                prompt=setup.task.active_prompts.user or None,
                **given,
            )
            return {name: score.value for name, score in scores.results.items()}

        return judge

    def _publish(self, trainer: Any, course: Any) -> None:
        from nlptasks.training.trainer import disk_full

        folder, standing = self._folder, Standing.of(trainer.state.log_history, self._setup.options.metric)
        final = course.best_folder(standing.step) if standing else None
        try:
            if final is None or not final.is_dir():
                final = folder.work / "final"
                trainer.save_model(str(final))
            folder.record.scores = standing.scores if standing else {}
            folder.publish(self._family.finished(final))
            folder.record.status = "success"
            folder.save()
        except Exception as error:
            if not disk_full(error):
                raise
            raise RunError(
                f"The disk is full, so the model could not be written to {folder.path}: make room and run the same "
                "command; it goes on from the last checkpoint."
            ) from error


def _packed(feature: Feature) -> Feature:
    """Return a feature with its lists of numbers as compact arrays: there may be a million of them."""
    return {name: array("i", value) if isinstance(value, list) else value for name, value in feature.items()}


def _plain(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "epoch"}


__all__ = ["Data", "TrainingResult", "Update", "train"]
