"""One model's run over the samples of an evaluation, and its scores, in one run directory."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlptasks.backends.base import Backend, Capability, Preview, warn_once
from nlptasks.backends.factory import BackendFactory, wrapped
from nlptasks.backends.guarded import Guards
from nlptasks.batch import work
from nlptasks.engine import Engine
from nlptasks.errors import InputError, RunError
from nlptasks.evaluation.dataset import Data, Dataset
from nlptasks.evaluation.metrics import choose, usual
from nlptasks.evaluation.results import Scores
from nlptasks.evaluation.samples import Samples, Selection, read_samples
from nlptasks.evaluation.scoring import score
from nlptasks.evaluation.trial import Trial
from nlptasks.job import AnyTask, Job
from nlptasks.plugin import registry
from nlptasks.plugin.isolation import stdout_aside
from nlptasks.records import Failure, Record, Sample
from nlptasks.runs import LogContent, RunDirectory, write_run

if TYPE_CHECKING:
    from nlptasks.metrics.base import Metric

RUNS = Path("runs")


@dataclass(frozen=True)
class Borrowed(BackendFactory):
    """A backend that the caller made, and goes on using."""

    backend: Backend = field(kw_only=True)

    def build(self) -> Backend:
        return wrapped(self.backend)


@dataclass(frozen=True)
class Measures:
    """How answers are scored: see ``score``."""

    metrics: str | Sequence[str | Metric] | None = None
    by: str | None = None
    lang: str | None = None
    judge: str | None = None
    encoder: str | None = None


@dataclass(frozen=True)
class Storage:
    """Where a run is kept, and what is kept of it; without ``output`` its place tells what it is of."""

    output: Path | None = None
    overwrite: bool = False
    log_content: LogContent = "full"


@dataclass(frozen=True)
class Trials:
    """What is asked, and how the answers are scored, whatever the model."""

    samples: Samples
    measures: Measures
    max_error_rate: float | None = None

    @classmethod
    def prepare(
        cls, task: AnyTask, data: Data, selection: Selection, measures: Measures, max_error_rate: float | None
    ) -> Trials:
        """Read and check all that needs no model.

        Raises:
            UsageError, PluginError: each says what to do.
        """
        dataset = Dataset.of(data, task.name)
        default = measures.metrics is None
        if default:
            measures = replace(measures, metrics=(dataset.benchmark and dataset.benchmark.metrics) or task.metrics)
        choices = choose(measures.metrics or (), judge=measures.judge, encoder=measures.encoder)
        for choice in choices:
            choice.build(None)  # an option that does not fit is told before any work is done
        samples = read_samples(task, dataset, selection, any(choice.kind.reads_references for choice in choices))
        if measures.by is not None:
            samples.check_column(measures.by, task)
        if default:
            measures = replace(measures, metrics=usual([choice.label for choice in choices], samples.bare))
        return cls(samples, measures, max_error_rate)


class Evaluation:
    """One model's run over the samples, and its scores.

    Raises:
        UnsupportedError, BackendError: the model cannot do it. No weights are loaded yet.
    """

    def __init__(self, job: Job, trials: Trials, storage: Storage) -> None:
        samples = trials.samples
        backend = job.factory.build()
        self._trial = Trial(job.task, job.options, samples.shots, samples.epochs)
        self._engine = Engine(self._trial, job.options, backend)
        self._trials, self._options, self._storage = trials, job.options, storage
        self._borrowed = isinstance(job.factory, Borrowed)
        if samples.shots and not {Capability.CHAT, Capability.LOGLIKELIHOOD} & backend.capabilities:
            warn_once(f"{job.factory.model} reads no messages, so the examples of --shots change nothing.")
        run = job.run(backend, samples.origin)
        fingerprint = {**run.fingerprint, **samples.chosen}
        run = replace(run, fingerprint=fingerprint, metrics=_names(trials.measures), lang=trials.measures.lang)
        name = f"{job.task.name}-{_slug(samples.name)}-{_slug(job.factory.model)}-{_digest(run.fingerprint)}"
        self.path = storage.output or RUNS / name
        redact = Guards(registry().plugins).redact
        self.directory = RunDirectory(self.path / "predictions.jsonl", run, storage.log_content, redact, self.path)

    @property
    def total(self) -> int:
        """How many samples there are, finished ones too."""
        return len(self._trials.samples.items)

    def preview(self) -> Preview:
        """Return the first request, as the model would read it.

        Raises:
            InputError: no sample can be asked.
        """
        sample = next((item for item in self._trials.samples.items if isinstance(item, Sample)), None)
        if sample is None:
            raise InputError("No row fits the task, so there is nothing to ask.")
        backend = self._engine.backend
        with closing(self._trial.steps(sample, self._options, backend.limits())) as steps:
            try:
                return backend.preview(next(steps)[0])
            except StopIteration:
                raise InputError(f"Sample {sample.id} is answered without a model.") from None
            except ValueError as error:
                raise InputError(f"Sample {sample.id}: {error}") from None

    def work(self) -> Generator[Record, None, None]:
        """Ask what was not asked yet, and yield every record as it is written.

        Raises:
            RunError: more samples failed than are allowed, or the directory is another run's.
        """
        with self.directory as directory:
            directory.begin(self._storage.overwrite)
            if directory.run.counts.total == self.total:
                directory.finish()
                return
            backend = self._engine.backend
            with stdout_aside(), nullcontext(backend) if self._borrowed else backend:
                for record in work(directory, self._engine, self._trials.samples.items):
                    yield record
                    self._check_errors(record)

    def score(self) -> Scores:
        """Score the finished run, and keep the figures in its ``run.json``.

        Raises:
            RunError: all samples failed.
        """
        run, measures = self.directory.run, self._trials.measures
        if run.counts.failed == run.counts.total:
            raise RunError(f"All {run.counts.total} samples failed, so there is nothing to score: see {self.path}")
        with stdout_aside():
            scores = score(self.path, **vars(measures))
        run.results = scores.to_dict()["results"]
        write_run(self.path, run)
        return scores

    def _check_errors(self, record: Record) -> None:
        failed, rate = self.directory.run.counts.failed, self._trials.max_error_rate
        if rate is not None and isinstance(record.result, Failure) and failed > rate * self.total:
            told = Guards(registry().plugins).tell(record.result)
            raise RunError(
                f"{failed} of {self.total} samples failed, more than the {rate:g} that --max-error-rate allows; "
                f"the last: {told} Mend that and run the same command to go on."
            )


def _names(measures: Measures) -> list[str]:
    choices = choose(measures.metrics or (), judge=measures.judge, encoder=measures.encoder)
    return [choice.spelled for choice in choices]


def _slug(name: str) -> str:
    """Return a name as part of a folder's: of a path only its end."""
    return re.sub(r"[^\w.=+-]+", "-", "/".join(name.rstrip("/").split("/")[-2:])).strip("-.")[-60:]


def _digest(fingerprint: Mapping[str, Any]) -> str:
    text = json.dumps(fingerprint, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
