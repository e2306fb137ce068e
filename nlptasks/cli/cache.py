"""``nlptasks cache``: the response cache."""

from __future__ import annotations

from dataclasses import asdict

import click

from nlptasks.cli import console


@click.group()
def cache() -> None:
    """Show or empty the response cache (used with --cache)."""


@cache.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(as_json: bool) -> None:
    """Show where the cache lies and how much it holds."""
    from nlptasks.backends.cached import cache_info

    found = asdict(cache_info())
    if as_json:
        console.say_json(found)
    else:
        console.facts(found)


@cache.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def clear(as_json: bool) -> None:
    """Delete every kept answer."""
    from nlptasks.backends.cached import clear_cache

    freed = clear_cache()
    if as_json:
        console.say_json({"freed": freed})
    else:
        console.note(f"{freed} bytes freed")
