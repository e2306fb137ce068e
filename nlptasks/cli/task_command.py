"""The command of a task: its flags are the fields of its models and of the chosen backend's options."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click

from nlptasks.cli.call import BATCH, SHARED, Call, Sections
from nlptasks.cli.model import backend_parameters, values_of

if TYPE_CHECKING:
    from nlptasks.job import AnyTask


class TaskCommand(click.Command):
    """The command ``name`` of the registered task ``task_name``. Nothing is imported before it is called."""

    shared: ClassVar[Sequence[click.Option]] = SHARED
    extra: ClassVar[Sequence[click.Option]] = BATCH
    extra_title: ClassVar[str] = "Many samples"

    sections: Sections
    """The parameters of the call being parsed: they depend on the models that are named in it."""

    def __init__(self, task_name: str, name: str) -> None:
        super().__init__(name)
        self.task_name = task_name

    @cached_property
    def task(self) -> AnyTask:
        """An instance of the task, with its own prompts."""
        from nlptasks.job import load_task

        return load_task(self.task_name)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        lenient = ctx.resilient_parsing or "--help" in args or "-h" in args
        self.sections = self._sections(values_of(args, "-m", "--model"), lenient)
        return super().parse_args(ctx, args)

    def _sections(self, models: Sequence[str], lenient: bool) -> Sections:
        from nlptasks.cli.params import parameters

        flags = (flag for one in (*self.shared, *self.extra) for flag in one.opts)
        taken = {"text", *(flag[2:].replace("-", "_") for flag in flags if flag.startswith("--"))}
        first, *others = parameters(self.task.Input, "input", frozenset(taken))
        taken |= {name for one in others for name in one.names}
        options = list(parameters(self.task.Options, "option", frozenset(taken)))
        taken |= {name for one in options for name in one.names}
        return Sections(first, others, options, backend_parameters(models, frozenset(taken), lenient))

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        fields = (*self.sections.input, *self.sections.options, *self.sections.backend)
        options = (one.option() for one in fields)
        return [*self.first_params(), *options, *self.shared, *self.extra, *super().get_params(ctx)]

    def first_params(self) -> list[click.Parameter]:
        """Return the ways to give the first Input field."""
        first = self.sections.first
        argument = click.Argument([first.key], type=first.type, nargs=-1 if first.multiple else 1, required=False)
        if first.kind == "plain":
            return [argument]
        return [argument, click.Option(["text", "--text"], help=f"The {first.column} itself.")]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from nlptasks.plugin import registry

        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(registry().find("task", self.task_name).spec.summary)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        records = {one.name: one.get_help_record(ctx) for one in self.get_params(ctx) if isinstance(one, click.Option)}
        first = self.sections.first
        argument = [(first.column.upper(), first.help)] if self.first_params() else []
        titles = {
            "Input": ["text", *(one.key for one in self.sections.input)],
            "Options": [one.key for one in self.sections.options],
            "Model": [*(one.name for one in self.shared), *(one.key for one in self.sections.backend)],
            self.extra_title: [one.name for one in self.extra],
        }
        for title, keys in titles.items():
            rows = [*(argument if title == "Input" else []), *(record for key in keys if (record := records.get(key)))]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
        formatter.write_paragraph()
        formatter.write_text("Each backend adds options of its own: name a --model beside --help to see them.")

    def invoke(self, ctx: click.Context) -> int:
        call = Call(self.task, ctx.params, self.sections)
        if ctx.params["source"] is not None:
            from nlptasks.cli.batch import run_batch

            return run_batch(call)
        for option in BATCH:
            if ctx.get_parameter_source(option.name or "") is click.core.ParameterSource.COMMANDLINE:
                raise click.UsageError(f"{option.opts[-1]} goes with --input.", ctx)
        return self.run_one(call, ctx)

    def run_one(self, call: Call, ctx: click.Context) -> int:
        """Answer one sample; a subclass may do something else, such as to converse."""
        from nlptasks.cli.single import run_single

        values = call.values(self.sections.input)
        run_single(call, {**values, self.sections.first.column: self.first_value(call, ctx)})
        return 0

    def first_value(self, call: Call, ctx: click.Context) -> Any:
        """Return the first Input field from argument, ``--text`` or stdin."""
        first = self.sections.first
        given, text = call.given[first.key], call.given.get("text")
        if text is not None:
            if given:
                raise click.UsageError("Give a file or --text, not both.", ctx)
            return text
        if given in (None, (), "-") and not sys.stdin.isatty():
            given = (Path("-"),) if first.multiple else Path("-")
        if given in (None, (), "-"):
            ways = "it as argument or pipe it in" if first.kind == "plain" else "a file, --text, or pipe it in"
            raise click.UsageError(f"No {first.column} to work on. Give {ways}.", ctx)
        if first.kind == "plain" and given == Path("-"):
            return _stdin()
        return first.value(given, " To give the text itself, use --text.")


def _stdin() -> str:
    from nlptasks.data import read_text

    return read_text(Path("-"))
