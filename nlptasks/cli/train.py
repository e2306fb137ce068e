"""``nlptasks train TASK``: teach a task to a local model, or make one from nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nlptasks.cli import console
from nlptasks.cli.call import BATCH, PATH, SHARED, Call, Sections
from nlptasks.cli.exits import stoppable
from nlptasks.cli.params import parameters
from nlptasks.cli.run import Run
from nlptasks.cli.task_command import TaskCommand
from nlptasks.training.options import TrainingOptions

if TYPE_CHECKING:
    from nlptasks.training.examples import Data
    from nlptasks.training.standing import Update, Watch

BEGINNING = [
    click.Option(["model", "-m", "--model"], help="The local model to begin with: hf/FOLDER or hf/HUB-ID."),
    click.Option(["from_scratch", "--from-scratch"], is_flag=True, help="Begin from nothing, tokenizer included."),
    click.Option(
        ["config", "--config"],
        metavar="NAME|FILE",
        help="With --from-scratch: tiny, small, translator-small or a config.json.  [default: what suits the task]",
    ),
    *(one for one in SHARED if one.name in ("system", "prompt", "as_json")),
]
FILES = [
    click.Option(
        ["data", "-d", "--data"],
        multiple=True,
        metavar="FILE[=WEIGHT]",
        help="What to learn from (repeatable); an epoch takes WEIGHT of its rows: 0.5 is half of them, 2 each twice.",
    ),
    click.Option(
        ["evaluation", "--eval"], metavar="FILE|BENCHMARK", help="What to score on meanwhile; the best state is kept."
    ),
    click.Option(["output", "-o", "--output"], type=PATH, required=True, help="The folder that the model goes to."),
    *(one for one in BATCH if one.name in ("columns", "overwrite")),
    click.Option(["licence", "--license"], default="", help="The licence of the data, for the model card."),
]
OPTIONS = list(parameters(TrainingOptions, "training"))


class TrainCommand(TaskCommand):
    """A task's command that has a model learn it."""

    shared = BEGINNING
    extra = (*FILES, *(one.option() for one in OPTIONS))
    extra_title = "Training"

    def first_params(self) -> list[click.Parameter]:
        return []

    def _sections(self, models: Sequence[str], lenient: bool) -> Sections:
        return super()._sections(models or ["hf/"], lenient)

    def invoke(self, ctx: click.Context) -> int:
        from nlptasks.cli.batch import mapping
        from nlptasks.training.train import train

        call = Call(self.task, ctx.params, self.sections)
        given, sections = call.given, call.sections
        with stoppable(), _watching() as watch:
            result = train(
                self.task_name,
                _files(given["data"]),
                columns=mapping(given["columns"]),
                defaults=call.values(sections.input),
                config=_config(given, self.task.name),
                prompt=_template(given["prompt"]),
                watch=watch,
                **{name: given[name] for name in ("model", "output", "evaluation", "system", "licence", "overwrite")},
                **{**call.values(sections.backend), **call.values(sections.options), **call.values(OPTIONS)},
            )
        if given["as_json"]:
            console.say_json(asdict(result))
            return 0
        if result.scores:
            console.table(["figure", "value"], [(name, f"{value:.2f}") for name, value in result.scores.items()])
        console.note(f"{result.steps} updates -> --model {result.model}")
        return 0


class Train(Run):
    """Each registered task is a command."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        from nlptasks.plugin import registry

        registry().find("task", name)
        return TrainCommand(name, name)


@click.command(cls=Train, subcommand_metavar="TASK [ARGS]...")
def train() -> None:
    """Teach a task to a local model, from data with references; --from-scratch makes a new model.

    The same command resumes a training that was stopped. What comes out is used with --model hf/FOLDER.
    """


def _files(given: Iterable[str]) -> list[Data]:
    from nlptasks.errors import UsageError
    from nlptasks.training.examples import Data

    found = []
    for one in given:
        name, equals, weight = one.rpartition("=")
        if not equals or Path(one).exists():
            found.append(Data(Path(one)))
            continue
        try:
            found.append(Data(Path(name), float(weight)))
        except ValueError:
            raise UsageError(f"--data takes FILE or FILE=WEIGHT, not {one!r}.") from None
    return found


def _config(given: Mapping[str, Any], task: str) -> str | None:
    from nlptasks.training.scratch import Blueprint

    if given["config"] and not given["from_scratch"]:
        raise click.UsageError("--config goes with --from-scratch.")
    return (given["config"] or Blueprint.fitting(task)) if given["from_scratch"] else None


def _template(path: Path | None) -> str | None:
    from nlptasks.data import read_text

    return None if path is None else read_text(path)


@contextmanager
def _watching() -> Iterator[Watch]:
    """Give what shows how training goes: a bar on a terminal, and a line for each evaluation anywhere."""
    if not sys.stderr.isatty():
        yield _tell_scores
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    facts = TextColumn("{task.fields[facts]}")
    columns = (BarColumn(), MofNCompleteColumn(), facts, TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        row = bar.add_task("", total=None, facts="")

        def show(update: Update) -> None:
            loss = "" if update.loss is None else f"loss {update.loss:.3f}, "
            facts = f"epoch {update.epoch:.1f}, {loss}{update.tokens_per_second:.0f} tokens/s"
            bar.update(row, total=update.steps, completed=update.step, facts=facts)
            _tell_scores(update)

        yield show


def _tell_scores(update: Update) -> None:
    if update.scores:
        figures = ", ".join(f"{name} {value:.2f}" for name, value in update.scores.items())
        console.note(f"after {update.step} updates: {figures}")
