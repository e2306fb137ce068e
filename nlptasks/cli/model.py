"""The options of the model that a command line names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlptasks.cli.params import Parameter


def backend_parameters(models: Sequence[str], taken: frozenset[str], lenient: bool) -> list[Parameter]:
    """Return the options of the models' backends; ``lenient`` is for help, which must work whatever is named."""
    from nlptasks import config
    from nlptasks.backends.factory import options_model, provider_factory
    from nlptasks.cli.params import parameters
    from nlptasks.errors import NLPTasksError

    try:
        found = [options_model(provider_factory(model)) for model in models or [config.load().model]]
    except NLPTasksError:
        if lenient:
            return []
        raise
    backends = (parameters(options, "backend", taken) for options in found if options is not None)
    return list({one.key: one for each in backends for one in each}.values())


def values_of(args: Sequence[str], short: str, long: str) -> list[str]:
    """Return the values of an option: the models must be known before their own options can be parsed."""
    found = []
    for position, one in enumerate(args):
        if one == "--":
            break
        if one in (short, long) and position + 1 < len(args):
            found.append(args[position + 1])
        elif one.startswith(f"{long}="):
            found.append(one.partition("=")[2])
        elif one.startswith(short) and not one.startswith("--") and len(one) > len(short):
            found.append(one[len(short) :])
    return found
