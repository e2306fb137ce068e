"""A plugin's entry-point group names the contract it was written for; one that is not kept is refused in one line."""

from __future__ import annotations

import pytest

from nlptasks.plugin import PluginManager
from nlptasks.plugin.spec import CONTRACTS
from tests.plugin.conftest import Site
from tests.support import Cli

NEVER_IMPORTED = "raise RuntimeError('imported')"
FUTURE = CONTRACTS[-1] + 1


@pytest.mark.parametrize(
    ("group", "reason"),
    [
        (
            f"nlptasks.{FUTURE}",
            f"it asks for contract {FUTURE}, and this nlptasks keeps no newer one than {CONTRACTS[-1]}: "
            "pip install -U nlptasks",
        ),
        (
            "nlptasks.0",
            f"it asks for contract 0, and this nlptasks keeps no older one than {CONTRACTS[0]}: "
            "pip install -U stranger",
        ),
    ],
)
def test_one_that_is_not_kept_is_refused_unread(group: str, reason: str, site: Site, cli: Cli) -> None:
    site.install("odd", NEVER_IMPORTED, entry_points=f"[{group}]\nodd = stranger_odd\n")
    done = cli("run", "text-generation", "--model", "echo", "grüß dich")
    assert (done.code, done.out) == (0, "grüß dich\n")
    advice = "leave it out with: nlptasks plugins disable odd"
    assert done.err == f"warning: Plugin 'odd' (stranger 1.2) cannot be used: {reason}; {advice}\n"


def test_one_written_for_several_is_loaded_for_the_newest_that_is_kept(site: Site) -> None:
    groups = [f"[nlptasks.{FUTURE}]\nsound = stranger_tomorrow", "[nlptasks.0]\nsound = stranger_yesterday"]
    own = "[nlptasks]\nsound = stranger_sound"
    for name in ("stranger_tomorrow", "stranger_yesterday"):
        site.module(name, NEVER_IMPORTED)
    site.install("sound", entry_points="\n".join([groups[0], own, groups[1]]))
    plugin = PluginManager(strict=True).plugins["sound"]
    assert (plugin.state, plugin.contract) == ("loaded", 1)


def test_groups_of_others_that_begin_alike_are_not_ours(site: Site) -> None:
    site.install(
        "other", NEVER_IMPORTED, entry_points="[nlptasks.x]\na = a\n[nlptasks2]\nb = b\n[nlptasks.1.2]\nc = c\n"
    )
    assert {one.distribution for one in PluginManager(strict=True).plugins.values()} == {"nlptasks"}
