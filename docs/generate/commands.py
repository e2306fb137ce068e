"""The page of all commands, from click's own records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from docs.generate.words import code, prose, table
from nlptasks.cli import TaskCommand
from nlptasks.cli.main import SUMMARIES, group
from nlptasks.cli.run import Run
from nlptasks.plugin import registry

INTRODUCTION = """\
Every command says the same of itself with `--help`. Answers go to stdout and everything else to stderr; colours and
progress show on a terminal only. What its exit code means: [Errors and exit codes](errors.md).
"""
EXAMPLE = "text-generation"
"""A task without options of its own: what its command has, every task's has."""


def page() -> str:
    """Return the page."""
    top = click.Context(group, info_name="nlptasks")
    parts = ["# Commands\n", INTRODUCTION, *_command(group, top, "nlptasks", 2)]
    for name in group.list_commands(top):
        command = group.get_command(top, name)
        assert command is not None
        parts += _below(command, name, top)
    return "\n".join(parts)


def _below(command: click.Command, name: str, top: click.Context) -> Iterator[str]:
    called = f"nlptasks {name}"
    if isinstance(command, TaskCommand):
        yield f"## {called}\n"
        [entry] = [one for one in registry().entries("task") if name in (one.spec.verb, one.spec.name)]
        yield f"{_sentence(entry.spec.summary)} The same as `nlptasks run {entry.spec.name}`.\n"
        yield f"Its options: [{entry.spec.name}](tasks.md#{entry.spec.name}), and those of [`run`](#nlptasks-run).\n"
        context = _context(command, name, top)
        fields = (command.sections.input, command.sections.options)
        known = {one.name for one in (*command.shared, *command.extra)} | {one.key for each in fields for one in each}
        yield _options([one for one in command.get_params(context) if one.name not in known], context)
        return
    if isinstance(command, Run):
        yield from _task_group(command, called, name, top)
        return
    context = _context(command, name, top)
    yield from _command(command, context, called, 2)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            below = command.get_command(context, inner)
            assert below is not None
            yield from _command(below, _context(below, inner, context), f"{called} {inner}", 3)


def _task_group(command: Run, called: str, name: str, top: click.Context) -> Iterator[str]:
    """Yield what ``run``, ``eval`` or ``train`` has for every task."""
    example = command.get_command(click.Context(command, parent=top, info_name=name), EXAMPLE)
    assert isinstance(example, TaskCommand)
    context = _context(example, EXAMPLE, top)
    yield f"## {called}\n"
    yield f"```text\n{called} TASK [OPTIONS]\n```\n"
    yield prose(command.help) + "\n"
    yield "Before these stand the options of the [task](tasks.md) and of the [backend](backends.md). One that is\n"
    yield "called like one of these has its origin before its name: `--input-…`, `--option-…`, `--backend-…`.\n"
    yield _options([*example.shared, *example.extra], context)


def _command(command: click.Command, context: click.Context, called: str, level: int) -> Iterator[str]:
    yield f"{'#' * level} {called}\n"
    pieces = command.collect_usage_pieces(context)
    yield f"```text\n{called} {' '.join(pieces)}\n```\n"
    yield (prose(command.help) or SUMMARIES.get(called, "")) + "\n"
    yield _options(command.get_params(context), context)


def _options(parameters: Iterable[click.Parameter], context: click.Context) -> str:
    options = [one for one in parameters if isinstance(one, click.Option) and "--help" not in one.opts]
    return table(
        ("option", "value", "meaning"),
        [(code(*one.opts, *one.secondary_opts), _value(one, context), _help(one, context)) for one in options],
    )


def _value(option: click.Option, context: click.Context) -> str:
    if option.is_flag or option.type is click.BOOL or option.count:
        return ""
    metavar = option.make_metavar(context)
    choices = metavar[1:-1] if metavar.startswith("[") else metavar
    return code(*choices.removesuffix(" RANGE").split("|"))


def _help(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    return prose(record[1].replace("\n", " ")) if record else ""


def _context(command: click.Command, name: str, above: click.Context) -> click.Context:
    model = ["--model", "echo"] if isinstance(command, TaskCommand) else []
    return command.make_context(name, [*model, "--help"], above, resilient_parsing=True)


def _sentence(summary: str) -> str:
    return summary[:1].upper() + summary[1:] + "."
