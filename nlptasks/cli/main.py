"""The entry point: the group of all verbs, and every error as one line with its exit code."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import signal
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import click

from nlptasks.cli import console
from nlptasks.cli.exits import Exit
from nlptasks.errors import NLPTasksError

log = logging.getLogger("nlptasks")
VERBS = {
    "run": "nlptasks.cli.run:run",
    "eval": "nlptasks.cli.eval:eval_",
    "score": "nlptasks.cli.score:score",
    "compare": "nlptasks.cli.compare:compare",
    "train": "nlptasks.cli.train:train",
    "explain": "nlptasks.cli.explain:explain",
    "serve": "nlptasks.cli.serve:serve",
    "runs": "nlptasks.cli.runs:runs",
    "tasks": "nlptasks.cli.listing:tasks",
    "backends": "nlptasks.cli.listing:backends",
    "metrics": "nlptasks.cli.listing:metrics",
    "benchmarks": "nlptasks.cli.listing:benchmarks",
    "plugins": "nlptasks.cli.plugins:plugins",
    "cache": "nlptasks.cli.cache:cache",
    "doctor": "nlptasks.cli.doctor:doctor",
}
SUMMARIES = {
    "run": "Run any task, on one text or on a file of them.",
    "eval": "Run a task on data with references, and score it.",
    "score": "Score predictions against references, or those of a run.",
    "compare": "Tell whether runs on the same data differ by more than chance.",
    "train": "Teach a task to a local model, or make one from nothing.",
    "explain": "See the tokens and the attention inside a local model.",
    "serve": "Serve every task over HTTP.",
    "runs": "Show the runs there are.",
    "tasks": "Show the tasks there are.",
    "backends": "Show the backends there are.",
    "metrics": "Show the metrics there are.",
    "benchmarks": "Show the benchmarks there are.",
    "plugins": "Write and check plugins, show them, switch them off and on.",
    "cache": "Show or empty the response cache.",
    "doctor": "Check this installation.",
}
COMPLETION = "_NLPTASKS_COMPLETE"
"""Set by a shell that wants completions."""


class Verbs(click.Group):
    """The built-in verbs, those of tasks, and commands of plugins; each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from nlptasks.plugin import registry

        tasks = [entry.spec.verb for entry in registry().entries("task") if entry.spec.verb]
        others = [entry.spec.name for entry in registry().entries("command")]
        return [*dict.fromkeys((*sorted((*tasks, *others)), *VERBS))]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        import importlib

        if name in VERBS:
            module, _, attribute = VERBS[name].partition(":")
            command: click.Command = getattr(importlib.import_module(module), attribute)
            return command
        return plugin_command(name)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        from nlptasks.errors import UnknownNameError
        from nlptasks.plugin.registry import switched_off

        if not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise UnknownNameError("command", args[0], self.list_commands(ctx), switched_off("See: nlptasks --help"))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs from their Specs: nothing is imported for it."""
        from nlptasks.plugin import registry

        summaries = {entry.spec.name: entry.spec.summary for entry in registry().entries("command")}
        summaries |= {entry.spec.verb: entry.spec.summary for entry in registry().entries("task")}
        with formatter.section("Tasks"):
            formatter.write_dl([(n, summaries[n]) for n in self.list_commands(ctx) if n not in VERBS])
        with formatter.section("Tools"):
            formatter.write_dl(list(SUMMARIES.items()))


@cache
def plugin_command(name: str) -> click.Command | None:
    """Return a task's verb or a plugin's command; ``plugin:name`` picks one of two that share a name.

    A verb of nlptasks itself goes on working, with a warning, whoever else claims it.

    Raises:
        CollisionError: two other plugins claim the name.
    """
    from nlptasks.errors import CollisionError, PluginError
    from nlptasks.plugin import registry
    from nlptasks.plugin.registry import load_target

    owner, _, bare = name.rpartition(":")
    found = [("task", e) for e in registry().entries("task") if e.spec.verb == bare]
    found += [("command", e) for e in registry().entries("command") if e.spec.name == bare]
    found = [(kind, entry) for kind, entry in found if owner in ("", entry.plugin.name)]
    if not found:
        return None
    if len(found) > 1:
        claims = " and ".join(entry.plugin.label for _, entry in found)
        choices = " or ".join(f"{entry.plugin.name}:{bare}" for _, entry in found)
        ours = [(kind, entry) for kind, entry in found if entry.plugin.distribution == "nlptasks"]
        if len(ours) != 1:
            raise CollisionError(f"The command {bare!r} is claimed by {claims}: say {choices}.")
        log.warning("The command %r is claimed by %s: nlptasks' own is meant unless you say %s.", bare, claims, choices)
        found = ours
    [(kind, entry)] = found
    if kind == "task":
        from nlptasks.cli.task_command import TaskCommand

        return TaskCommand(f"{entry.plugin.name}:{entry.spec.name}", name)
    command = load_target(entry, "command")
    if not isinstance(command, click.Command):
        raise PluginError(f"The command {name!r} of plugin {entry.plugin.label} is no click.Command.")
    return command


def _load_files(context: click.Context, parameter: click.Parameter, files: tuple[Path, ...]) -> None:
    from nlptasks.plugin import manager

    for file in files:
        manager().add_file(file)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nlptasks", message="%(prog)s %(version)s")
@click.option(
    "--plugin-file",
    multiple=True,
    type=click.Path(path_type=Path),
    is_eager=True,  # before --help, and before a verb is looked up, which it may bring
    expose_value=False,
    callback=_load_files,
    help="Load a single-file plugin.",
)
@click.option("--traceback", is_flag=True, help="Show where an error came from. May stand after the verb, too.")
def group(traceback: bool) -> None:
    """Summarize, translate, ask and chat with one pluggable LLM backend.

    Choose a model with --model, NLPTASKS_MODEL or nlptasks.toml; without one, a built-in backend
    answers that needs no download.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    if COMPLETION in os.environ:
        with contextlib.suppress(NLPTasksError):  # nothing to complete after a wrong word
            group.main(prog_name="nlptasks", complete_var=COMPLETION)
        sys.exit(1)
    for name in ("stdin", "stdout", "stderr"):  # closed by who started us
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r+", encoding="utf-8"))  # noqa: SIM115
    args = list(sys.argv[1:] if arguments is None else arguments)
    wanted = _take(args, "--traceback")
    console.start_logging()
    sys.exit(_run(args, wanted))


def _run(args: list[str], traceback: bool) -> int:
    try:
        with group.make_context("nlptasks", args) as context:
            result = group.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.exceptions.NoArgsIsHelpError as help_:
        console.note(help_.format_message())
        return help_.exit_code
    except (click.Abort, KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient second one would cut the end short
        console.fail("interrupted")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        console.fail("the reader of the output went away before all was written")
        return 1
    except (NLPTasksError, click.ClickException) as error:
        if traceback:
            raise
        console.fail(_message(error))
        return error.exit_code
    except Exception as error:
        if traceback:
            raise
        if isinstance(error, OSError) and error.filename is None and error.errno in (errno.ENOSPC, errno.EIO):
            _silence_stdout()
            console.fail(f"the output cannot be written: {error.strerror}")
        else:
            console.fail(f"{type(error).__name__}: {error}. This is a mistake in nlptasks or a plugin: add --traceback")
        return 1
    return result if isinstance(result, int) else 0


def _message(error: Exception) -> str:
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        hint = f" See: {context.command_path} --help" if context else ""
        return " ".join(error.format_message().split()) + hint
    return " ".join(str(error).split())


def _take(args: list[str], flag: str) -> bool:
    """Remove ``flag`` wherever it stands before a ``--``, and tell whether it was there."""
    end = args.index("--") if "--" in args else len(args)
    found = flag in args[:end]
    args[:end] = [one for one in args[:end] if one != flag]
    return found


def _silence_stdout() -> None:
    """Keep the interpreter from flushing into the closed pipe once more as it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
