"""Parses calls of nlptasks, given as JSON, without carrying them out: what they name exists, values are of their kinds.

It runs in a process of its own, where the plugins are that a page has installed.
"""

from __future__ import annotations

import json
import sys

import click

from nlptasks.cli.main import group


def parse(call: list[str]) -> None:
    command: click.Command = group
    context, rest = click.Context(group, info_name="nlptasks"), call
    while isinstance(command, click.Group):
        found, inner, rest = command.resolve_command(context, rest)
        assert inner is not None, call
        command, context = inner, inner.make_context(found, rest, context)
        rest = [*context._protected_args, *context.args]


def main() -> None:
    for call in json.loads(sys.argv[1]):
        try:
            parse(call)
        except Exception as error:
            print(f"nlptasks {' '.join(call)}: {error}")  # noqa: T201
            sys.exit(1)


if __name__ == "__main__":
    main()
