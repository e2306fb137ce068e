"""The command of a task: its flags are the fields of its models and of the chosen backend's options."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from nlptasks.cli.params import Parameter
    from nlptasks.job import AnyTask, Job

PATH = click.Path(path_type=Path)
SHARED = [
    click.Option(["model", "-m", "--model"], help="Which model answers: provider/model, such as hf/Qwen/Qwen3-0.6B."),
    click.Option(["system", "--system"], help="A system prompt in place of the task's own."),
    click.Option(["prompt", "--prompt"], type=PATH, help="A file with a prompt template."),
    click.Option(["cache", "--cache/--no-cache"], default=None, help="Keep answers and reuse them."),
    click.Option(["as_json", "--json"], is_flag=True, help="Print JSON."),
]
BATCH = [
    click.Option(
        ["source", "-i", "--input"],
        type=PATH,
        help="A file of samples (.jsonl .csv .tsv .parquet .txt), a folder, or - for JSON Lines.",
    ),
    click.Option(
        ["output", "-o", "--output"],
        type=PATH,
        help="The .jsonl file that gets their rows; the same command resumes after a stop.",
    ),
    click.Option(["columns", "--map"], multiple=True, metavar="FIELD=COLUMN", help="Which column holds a field."),
    click.Option(["limit", "--limit"], type=click.IntRange(1), help="Take this many samples only."),
    click.Option(["overwrite", "--overwrite"], is_flag=True, help="Begin again where the output exists."),
    click.Option(
        ["log_content", "--log-content"],
        type=click.Choice(["full", "hash", "none"]),
        default="full",
        help="What of the texts the run's log keeps.  [default: full]",
    ),
]


@dataclass
class Call:
    """One call of a task's command, with what was given."""

    task: AnyTask
    given: dict[str, Any]
    parameters: dict[str, Sequence[Parameter]]

    def values(self, section: str) -> dict[str, Any]:
        """Return what was given for the fields of a section, by column."""
        found = {}
        for parameter in self.parameters[section]:
            value = self.given.get(parameter.key)
            if value is not None and value != ():
                found[parameter.column] = parameter.value(value)
        return found

    def job(self) -> Job:
        """Return the job of this call."""
        from nlptasks.data import read_text
        from nlptasks.job import PromptOverride, prepare

        template = None if self.given["prompt"] is None else read_text(self.given["prompt"])
        override = PromptOverride(self.given["system"], template)
        task = type(self.task)(override.over(self.task.prompts))
        options = {**self.values("options"), **self.values("backend")}
        return prepare(task, options, self.given["model"], self.given["cache"])


class TaskCommand(click.Command):
    """The command ``name`` of the registered task ``task_name``. Nothing is imported before it is called."""

    def __init__(self, task_name: str, name: str) -> None:
        super().__init__(name, callback=None, no_args_is_help=False)
        self.task_name = task_name
        self._model: str | None = None
        self._helping = False

    @cached_property
    def task(self) -> AnyTask:
        """An instance of the task, with its own prompts."""
        from nlptasks.job import load_task

        return load_task(self.task_name)

    @cached_property
    def sections(self) -> dict[str, Sequence[Parameter]]:
        """The parameters by section: input, options and backend."""
        from nlptasks.cli.params import parameters

        reserved = {
            long[2:].replace("-", "_") for one in (*SHARED, *BATCH) for long in one.opts if long.startswith("--")
        }
        given = list(parameters(self.task.Input, "input", frozenset(reserved | {"text"})))
        taken = reserved | {name for one in given for name in one.names}
        options = list(parameters(self.task.Options, "option", frozenset(taken)))
        taken |= {name for one in options for name in one.names}
        return {"input": given, "options": options, "backend": self._backend_parameters(frozenset(taken))}

    def _backend_parameters(self, taken: frozenset[str]) -> list[Parameter]:
        from nlptasks import config
        from nlptasks.backends.factory import options_model, provider_factory
        from nlptasks.cli.params import parameters
        from nlptasks.errors import NLPTasksError

        try:
            model = options_model(provider_factory(self._model or config.load().model))
        except NLPTasksError:
            if self._helping:
                return []
            raise
        return [] if model is None else list(parameters(model, "backend", taken))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        vars(self).pop("sections", None)  # those of the model that was named last time
        self._model = _value_of(args, "-m", "--model")
        self._helping = ctx.resilient_parsing or "--help" in args or "-h" in args
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        first, *others = self.sections["input"]
        many = first.kind in ("documents", "images")
        argument = click.Argument([first.key], type=first.type, nargs=-1 if many else 1, required=False)
        flags = [one.option() for one in (*others, *self.sections["options"], *self.sections["backend"])]
        text = [click.Option(["text", "--text"], help=f"The {first.column} itself.")] if first.kind != "plain" else []
        return [argument, *text, *flags, *SHARED, *BATCH, *super().get_params(ctx)]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from nlptasks.plugin import registry

        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(registry().find("task", self.task_name).spec.summary)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        first, *others = self.sections["input"]
        helped = [one for one in self.get_params(ctx) if isinstance(one, click.Option)]
        by_key = {one.name: one for one in helped}
        with formatter.section("Input"):
            formatter.write_dl(
                [(first.column.upper(), first.help), *_rows(ctx, [by_key[k] for k in ("text",) if k in by_key])]
            )
            formatter.write_dl(_rows(ctx, [by_key[one.key] for one in others]) or [("", "")])
        for title, keys in (
            ("Options", [one.key for one in self.sections["options"]]),
            ("Model", [*(one.name for one in SHARED), *(one.key for one in self.sections["backend"])]),
            ("Many samples", [one.name for one in BATCH]),
        ):
            with formatter.section(title):
                formatter.write_dl(_rows(ctx, [by_key[key] for key in keys]))
        formatter.write_paragraph()
        formatter.write_text("Each backend adds options of its own: name a --model beside --help to see them.")

    def invoke(self, ctx: click.Context) -> int:
        call = Call(self.task, ctx.params, self.sections)
        if ctx.params["source"] is not None:
            from nlptasks.cli.batch import run_batch

            return run_batch(call)
        for flag in ("output", "columns", "limit", "overwrite"):
            if ctx.params[flag]:
                raise click.UsageError(f"--{'map' if flag == 'columns' else flag} goes with --input.", ctx)
        return self.run_one(call, ctx)

    def run_one(self, call: Call, ctx: click.Context) -> int:
        """Answer one sample; a subclass may do something else, such as to converse."""
        from nlptasks.cli.single import run_single

        first = self.sections["input"][0].column
        run_single(call, {**call.values("input"), first: self.first_value(call, ctx)})
        return 0

    def first_value(self, call: Call, ctx: click.Context) -> Any:
        """Return the first Input field from argument, ``--text`` or stdin."""
        first = self.sections["input"][0]
        given, text = call.given[first.key], call.given.get("text")
        if text is not None:
            if given:
                raise click.UsageError("Give a file or --text, not both.", ctx)
            return text
        if first.kind == "plain":
            given = _stdin() if given is None or given == "-" else given
        elif not given and not sys.stdin.isatty():
            given = (Path("-"),) if first.multiple else Path("-")
        if given is None or given == ():
            hint = (
                "Give a file, --text, or pipe it in." if first.kind != "plain" else "Give it as argument or pipe it in."
            )
            raise click.UsageError(f"No {first.column} to work on. {hint}", ctx)
        return first.value(given)


def _stdin() -> str | None:
    from nlptasks.data import read_text

    return None if sys.stdin.isatty() else read_text(Path("-"))


def _rows(ctx: click.Context, options: Sequence[click.Option]) -> list[tuple[str, str]]:
    return [record for record in (option.get_help_record(ctx) for option in options) if record]


def _value_of(args: Sequence[str], *flags: str) -> str | None:
    """Return what follows the last of ``flags``: the model must be known before its options can be."""
    found = None
    for position, one in enumerate(args):
        if one == "--":
            break
        if one in flags and position + 1 < len(args):
            found = args[position + 1]
        elif one.startswith(f"{flags[-1]}="):
            found = one.partition("=")[2]
        elif one.startswith(flags[0]) and not one.startswith("--") and len(one) > len(flags[0]):
            found = one[len(flags[0]) :]
    return found
