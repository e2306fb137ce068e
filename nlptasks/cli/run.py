"""``nlptasks run TASK``: any task by its name."""

from __future__ import annotations

import click


class Run(click.Group):
    """Each registered task is a command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from nlptasks.plugin import registry

        return list(dict.fromkeys(entry.spec.name for entry in registry().entries("task")))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        from nlptasks.cli.task_command import TaskCommand
        from nlptasks.plugin import registry

        registry().find("task", name)
        return TaskCommand(name, name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from nlptasks.plugin import registry

        with formatter.section("Tasks"):
            formatter.write_dl([(entry.spec.name, entry.spec.summary) for entry in registry().entries("task")])


@click.command(cls=Run, subcommand_metavar="TASK [ARGS]...")
def run() -> None:
    """Run any task, on one text or on a file of them (--input)."""
