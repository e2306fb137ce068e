"""One training under way: data to batches, batches through the Trainer, the best state into the output folder."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Mapping
from typing import Any

from nlptasks.errors import NLPTasksError, RunError
from nlptasks.training.buckets import Part, Plan
from nlptasks.training.card import card
from nlptasks.training.compute import choose_attention, suitable_threads
from nlptasks.training.examples import LeftOut, read_examples
from nlptasks.training.families.base import Family, Feature
from nlptasks.training.folder import TrainingFolder
from nlptasks.training.setup import Setup
from nlptasks.training.standing import Standing, Watch

LEAST = 100
"""Updates of a model from nothing where the user gives no number of epochs."""


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

        family, options = self._family, self._family.options
        sizes = [family.sizes(feature) for feature in features]
        plan = Plan.make(sizes, parts, options, LEAST if self._setup.config else 0)
        set_seed(options.seed)
        model = family.load()
        family.backend.adopt(model)
        if not self._setup.backend_options.get("attention"):
            choose_attention(model, max(map(max, sizes)))
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
        with suitable_threads(model):
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
            found: list[Feature] = []
            for example in read_examples(self._setup.task, self._setup.task_options, data, left_out):
                try:
                    found += map(_compact, self._family.features(example))
                except (ValueError, NLPTasksError) as error:
                    left_out.add(example.sample, str(error))
            features += self._family.pack(found)
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
                metrics=setup.options.metrics,
                columns=setup.columns,
                defaults=setup.defaults,
                limit=setup.options.eval_limit,
                output=self._folder.work / "evaluation",
                overwrite=True,
                system=setup.task.active_prompts.system,
                prompt=setup.task.active_prompts.user,
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
            finished = self._family.finished(final)
            (finished / "README.md").write_text(card(self._setup, self._family.options, folder.record), "utf-8")
            folder.publish(finished)
            folder.record.status = "success"
            folder.save()
        except Exception as error:
            if not disk_full(error):
                raise
            raise RunError(
                f"The disk is full, so the model could not be written to {folder.path}: make room and run the same "
                "command; it goes on from the last checkpoint."
            ) from error


def _compact(feature: Feature) -> Feature:
    """Return a feature with its lists of numbers as compact arrays: there may be a million of them."""
    return {name: array("i", value) if isinstance(value, list) else value for name, value in feature.items()}


def _plain(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "epoch"}
