"""``nlptasks plugins``: write one, check it, see what is installed and what is broken; switch off and on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from nlptasks.cli import console
from nlptasks.cli.plugins_check import check

LISTED = 4
"""As many names of a kind are shown; of more, only their number."""


@click.group()
def plugins() -> None:
    """Write and check plugins, show them, switch them off and on."""


plugins.add_command(check)


@plugins.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """List all plugins: where they come from, whether they work, what they contribute."""
    from nlptasks.plugin import registry

    contributed = _contributed()
    found = list(registry().plugins.plugins.values())
    if as_json:
        listed = {name: [f"{kind} {one}".strip() for kind, one in given] for name, given in contributed.items()}
        console.say_json([{**asdict(one), "contributes": listed.get(one.name, [])} for one in found])
        return
    headers = ("plugin", "distribution", "version", "state", "load", "contributes")
    rows = [
        (
            one.name,
            one.distribution,
            one.version,
            one.state,
            f"{one.seconds:.2f} s",
            one.error or _in_short(contributed.get(one.name, [])),
        )
        for one in found
    ]
    console.table(headers, rows)


def _contributed() -> dict[str, list[tuple[str, str]]]:
    """Return by plugin what it contributes, as kind and name; a guard and an observer have no name."""
    from nlptasks.plugin import registry
    from nlptasks.plugin.spec import KINDS, ROLES

    given: dict[str, list[tuple[str, str]]] = {}
    for kind in KINDS:
        for entry in registry().entries(kind):
            given.setdefault(entry.plugin.name, []).append((kind, entry.spec.name))
    for role, hooks in ROLES.items():
        players = [plugin.name for hook in hooks for plugin, _ in registry().plugins.implementations(hook)]
        for name in dict.fromkeys(players):
            given.setdefault(name, []).append((role, ""))
    return given


def _in_short(given: Sequence[tuple[str, str]]) -> str:
    words = []
    for kind in dict.fromkeys(kind for kind, _ in given):
        names = [name for one, name in given if one == kind]
        if len(names) > LISTED:
            words.append(f"{len(names)} {kind}s")
        else:
            words += [f"{kind} {name}".strip() for name in names]
    return ", ".join(words)


@plugins.command()
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(["task", "backend", "metric", "benchmark"]),
    required=True,
    help="What the plugin contributes.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def new(context: click.Context, name: str, kind: Any, as_json: bool) -> None:
    """Write the complete package of a new plugin into the folder nlptasks-NAME: code, tests, README, workflow."""
    from nlptasks.scaffold import NewPlugin

    root = context.find_root()
    commands = root.command.list_commands(root) if isinstance(root.command, click.Group) else []
    plugin = NewPlugin(name, kind, frozenset(commands))
    files = plugin.write(Path())
    if as_json:
        console.say_json({"folder": plugin.distribution, "files": [file.as_posix() for file in files]})
        return
    for file in files:
        console.say(str(file))
    console.note(f"Next: cd {plugin.distribution} && pip install -e '.[dev]' && python -m pytest")


@plugins.command()
@click.argument("name")
def disable(name: str) -> None:
    """Switch a plugin off. Loads nothing, so it helps against one that hangs."""
    _switch(name, off=True)


@plugins.command()
@click.argument("name")
def enable(name: str) -> None:
    """Switch a plugin on again. Loads nothing."""
    _switch(name, off=False)


def _switch(name: str, off: bool) -> None:
    from nlptasks.errors import UnknownNameError
    from nlptasks.plugin import state
    from nlptasks.plugin.discovery import installed

    found = installed()
    known = state.disabled().union(one.name for one in found)
    if name not in known.union(one.full_name for one in found):
        raise UnknownNameError("plugin", name, known, "See: nlptasks plugins list")
    changed = state.set_disabled(name, off)
    console.note(f"{name} is {'' if changed else 'already '}{'disabled' if off else 'enabled'}")
