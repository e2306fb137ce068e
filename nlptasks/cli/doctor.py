"""``nlptasks doctor``: is this installation able to work?"""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version

import click

from nlptasks.cli import console


@dataclass(frozen=True)
class Check:
    """One finding; ``advice`` tells what to do where it is not ``ok``."""

    name: str
    ok: bool
    found: str
    advice: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> int:
    """Check this installation: versions, plugins, settings, model, devices. Exit code 1 if something is wrong."""
    checks = list(_checks())
    if as_json:
        console.say_json([asdict(check) for check in checks])
    else:
        for check in checks:
            console.say(f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.found}")
            if check.advice:
                console.say(f"      {check.advice}")
    return 0 if all(check.ok for check in checks) else 1


def _checks() -> Iterator[Check]:
    yield Check("python", sys.version_info >= (3, 10), f"{platform.python_version()} on {platform.platform()}")
    for name in ("nlptasks", "torch", "transformers", "evaluate"):
        yield _package(name)
    yield from _plugins()
    yield _settings()
    yield _devices()
    if importlib.util.find_spec("torchao"):
        yield Check("torchao", True, "installed", "It prints on import and nlptasks does not need it.")
    yield from _environment()


def _package(name: str) -> Check:
    try:
        return Check(name, True, version(name))
    except PackageNotFoundError:
        return Check(name, False, "not installed", f"pip install {name}")


def _plugins() -> Iterator[Check]:
    from nlptasks.plugin import registry
    from nlptasks.plugin.registry import KINDS

    counts = [f"{len(registry().entries(kind))} {kind}s" for kind in KINDS]
    yield Check("contributions", True, ", ".join(counts))
    for plugin in registry().plugins.plugins.values():
        if plugin.state == "broken":
            advice = f"Mend it, uninstall it, or: nlptasks plugins disable {plugin.name}"
            yield Check(f"plugin {plugin.name}", False, plugin.error, advice)


def _environment() -> Iterator[Check]:
    from nlptasks.config import ENVIRONMENT

    for name in ENVIRONMENT:
        if name.endswith("_KEY"):
            yield Check(name, True, "set" if os.environ.get(name) else "not set")
        elif name in os.environ:
            yield Check(name, True, os.environ[name])


def _settings() -> Check:
    from nlptasks import config
    from nlptasks.backends.factory import provider_factory
    from nlptasks.errors import NLPTasksError

    try:
        model = config.load().model
        provider_factory(model)
    except NLPTasksError as error:
        return Check("settings", False, str(error))
    return Check("default model", True, model)


def _devices() -> Check:
    import torch

    names = [f"cpu ({torch.get_num_threads()} threads)"]
    names += [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    return Check("devices", True, ", ".join(names))
