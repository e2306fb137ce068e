"""``nlptasks plugins``: what is installed, what is broken and why; switch off and on."""

from __future__ import annotations

from dataclasses import asdict

import click

from nlptasks.cli import console


@click.group()
def plugins() -> None:
    """Show plugins, switch them off and on."""


@plugins.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """List all plugins: where they come from, whether they work, what they contribute."""
    from nlptasks.plugin import registry
    from nlptasks.plugin.registry import KINDS

    given: dict[str, list[str]] = {}
    for kind in KINDS:
        for entry in registry().entries(kind):
            given.setdefault(entry.plugin.name, []).append(f"{kind} {entry.spec.name}")
    found = list(registry().plugins.plugins.values())
    if as_json:
        console.say_json([{**asdict(one), "contributes": given.get(one.name, [])} for one in found])
        return
    rows = []
    for one in found:
        what = one.error or ", ".join(given.get(one.name, []))
        rows.append((one.name, f"{one.distribution} {one.version}".strip(), one.state, f"{one.seconds:.2f} s", what))
    console.table(("plugin", "distribution", "state", "load", "contributes"), rows)


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
