"""``nlptasks eval TASK``: run and score in one run directory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from nlptasks.cli import console
from nlptasks.cli.call import BATCH, CLUSTER, PATH, SHARED, Call
from nlptasks.cli.exits import Exit, stoppable
from nlptasks.cli.run import Run
from nlptasks.cli.task_command import TaskCommand

if TYPE_CHECKING:
    from nlptasks.evaluation.trial_run import Evaluation

MODELS = click.Option(["models", "-m", "--model"], multiple=True, help="Which model answers (repeatable).")
KEPT = [one for one in BATCH if one.name in ("columns", "limit", "overwrite", "log_content")]
OPTIONS = [
    click.Option(
        ["data", "-d", "--data"],
        metavar="FILE|BENCHMARK|BENCHMARK=PATH",
        required=True,
        help="What to test on: a file or folder, a benchmark of the Hub, or a benchmark's own files.",
    ),
    click.Option(["metrics", "--metrics"], help="Which metrics, such as rouge,chrf:word_order=2."),
    click.Option(["by", "--by"], metavar="COLUMN", help="Break the scores down by the values of a column."),
    click.Option(["lang", "--lang"], help="The language to score the answers in.  [default: told by the data]"),
    click.Option(["judge", "--judge"], metavar="PROVIDER/MODEL", help="Have a model judge the answers too."),
    click.Option(["encoder", "--encoder"], metavar="MODEL", help="Compare meanings too, by this encoder's vectors."),
    click.Option(["shots", "--shots"], type=click.IntRange(0), default=0, help="Show so many solved examples."),
    click.Option(["shots_from", "--shots-from"], metavar="FILE", help="Data to draw them from."),
    click.Option(["epochs", "--epochs"], type=click.IntRange(1), default=1, help="Ask every question so many times."),
    click.Option(
        ["max_error_rate", "--max-error-rate"],
        type=click.FloatRange(0, 1),
        help="Stop where more than this share of the samples failed.",
    ),
    click.Option(
        ["output", "-o", "--output"], type=PATH, help="The run's directory.  [default: one under runs/, named after it]"
    ),
    click.Option(["dry_run", "--dry-run"], is_flag=True, help="Show the first prompt as the model reads it, and stop."),
    *KEPT,
    *CLUSTER,
]


class EvalCommand(TaskCommand):
    """A task's command that scores what it is answered."""

    shared = (MODELS, *(one for one in SHARED if one.name != "model"))
    extra = OPTIONS
    extra_title = "Evaluation"

    def first_params(self) -> list[click.Parameter]:
        return []

    def invoke(self, ctx: click.Context) -> int:
        from nlptasks.errors import StoppedError, UsageError

        given = ctx.params
        if given["output"] and len(given["models"]) > 1:
            raise UsageError("--output names the directory of one run: leave it out where there are several models.")
        codes = []
        for evaluation in _evaluations(Call(self.task, given, self.sections)):
            if given["dry_run"]:
                return _show(evaluation, given["as_json"])
            try:
                with stoppable():
                    codes.append(_run(evaluation, given["as_json"]))
            except KeyboardInterrupt:
                finished = evaluation.directory.run.counts.total
                raise StoppedError(f"Stopped after {finished} samples: run the same command to go on.") from None
        return max(codes)


class Eval(Run):
    """Each registered task is a command."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        from nlptasks.plugin import registry

        registry().find("task", name)
        return EvalCommand(name, name)


@click.command("eval", cls=Eval, subcommand_metavar="TASK [ARGS]...")
def eval_() -> None:
    """Run a task on data with references, and score it with its uncertainty.

    The same command resumes a run that was stopped. All scores are on 0-100 unless their name says otherwise.
    """


def _evaluations(call: Call) -> Iterator[Evaluation]:
    from nlptasks.cli.batch import mapping
    from nlptasks.evaluation.samples import Selection
    from nlptasks.evaluation.trial_run import Evaluation, Measures, Storage, Trials

    given = call.given
    selection = Selection(
        mapping(given["columns"]),
        call.values(call.sections.input),
        **{name: given[name] for name in ("limit", "epochs", "shots", "shots_from")},
    )
    measures = Measures(**{name: given[name] for name in ("metrics", "by", "lang", "judge", "encoder")})
    storage = Storage(given["output"], given["overwrite"], given["log_content"])
    trials = Trials.prepare(call.task, given["data"], selection, measures, given["max_error_rate"])
    for model in given["models"] or (None,):
        yield Evaluation(_for_model(call, model).job(), trials, storage)


def _for_model(call: Call, model: str | None) -> Call:
    """Return the call for one of its models, with the options that its backend has."""
    from nlptasks import config
    from nlptasks.backends.factory import options_model, provider_factory

    known = options_model(provider_factory(model or config.load().model))
    names = () if known is None else known.model_fields
    backend = [one for one in call.sections.backend if one.key.removeprefix("backend_") in names]
    return replace(call, given={**call.given, "model": model}, sections=replace(call.sections, backend=backend))


def _run(evaluation: Evaluation, as_json: bool) -> int:
    from nlptasks.cli.batch import tell_failure
    from nlptasks.cli.progress import Progress
    from nlptasks.cli.score import print_scores

    run, resumed = evaluation.directory.run, False
    with Progress(run, None, evaluation.total) as progress, closing(evaluation.work()) as records:
        for record in records:
            if not resumed and run.counts.total > 1:
                console.note(f"resuming after {run.counts.total - 1} finished samples")
            resumed = True
            progress.advance()
            tell_failure(record)
    scores = evaluation.score()
    if as_json:
        console.say_json(scores.to_dict())
    else:
        print_scores(scores)
        console.note(f"-> {scores.run}")
    return Exit.FINISHED_WITH_FAILURES if scores.counts["failed"] else 0


def _show(evaluation: Evaluation, as_json: bool) -> int:
    seen = evaluation.preview()
    messages: list[dict[str, Any]] = [{"role": one.role, "content": one.content} for one in seen.request.messages]
    if as_json:
        ids = None if seen.token_ids is None else list(seen.token_ids)
        console.say_json({"messages": messages, "text": seen.text, "token_ids": ids})
    elif seen.text is None:
        for message in messages:
            console.say(f"[{message['role']}]\n{message['content']}\n")
    else:
        console.say(seen.text)
    if not as_json and seen.token_ids is not None:
        console.say(f"\n{len(seen.token_ids)} tokens: {' '.join(map(str, seen.token_ids))}")
    return 0
