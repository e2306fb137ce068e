"""``nlptasks explain``: the tokens and the attention of a local model, to be looked at."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nlptasks.backends.hf import Options
from nlptasks.cli import console
from nlptasks.cli.params import parameters

if TYPE_CHECKING:
    from nlptasks.backends.hf.backend import HFBackend
    from nlptasks.explain.attention import Part
    from nlptasks.explain.choice import Choice
    from nlptasks.explain.explanation import Explanation

FILE = click.Path(path_type=Path, dir_okay=False)
ALL = "all"
LOADING = ("device", "dtype", "revision", "adapter", "trust_remote_code", "offline")
"""Which of the hf backend's options have a use here."""


class Number(click.ParamType[str]):
    """A number from 0, or ``all``."""

    name = "number"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "N|all"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value != ALL and not str(value).isdecimal():
            self.fail(f"{value!r} is neither a number from 0 nor {ALL!r}.", param, ctx)
        return str(value)


@dataclass(frozen=True)
class Wanted:
    """What is to be shown, and where it goes."""

    part: str | None
    position: int | None
    png: Path | None
    font: Path | None
    html: Path | None
    as_json: bool


@click.command()
@click.argument("text", required=False)
@click.option("--file", type=FILE, help="Read the text from a file; - is stdin.")
@click.option("-m", "--model", help="A local model: hf/FOLDER or hf/HUB-ID.")
@click.option("--chat", is_flag=True, help="Put the text into the model's chat template; else it reads the bare text.")
@click.option("--question", help="What an extractive model is to answer from the text.")
@click.option("--target", help="What an encoder-decoder is taken to write.  [default: what it writes itself]")
@click.option("--from", "source_lang", metavar="LANG", help="The language of the text, for a model of several.")
@click.option("--to", "target_lang", metavar="LANG", help="The language to write, for a model of several.")
@click.option("--layer", "layers", multiple=True, type=Number(), help="Show this layer, from 0 (repeatable).")
@click.option("--head", "heads", multiple=True, type=Number(), help="Show this head, from 0 (repeatable).")
@click.option("--part", type=click.Choice(["self", "cross", "encoder", "decoder"]), help="Show this attention alone.")
@click.option("--position", type=click.IntRange(0), help="Show the numbers of this position, of one layer and head.")
@click.option("--png", type=FILE, help="Also save the heat maps as a picture.")
@click.option("--font", type=FILE, help="Write the picture's tokens in this font.")
@click.option("--html", type=FILE, help="Also save all as one page to explore, which needs no network.")
@click.option("as_json", "--json", is_flag=True, help="Print JSON.")
def explain(model: str | None, layers: tuple[str, ...], heads: tuple[str, ...], **given: Any) -> None:
    """Show the tokens of TEXT and the attention that a local model pays among them.

    Without --layer and --head, the terminal and the picture show the mean of each layer's heads; the page and JSON
    hold every head. "all" is every one. A row is the token that reads, a column one that is read.
    """
    from nlptasks.explain.choice import Choice
    from nlptasks.explain.explanation import Subject
    from nlptasks.explain.families import explain as look
    from nlptasks.plugin.isolation import stdout_aside

    text = _text(given.pop("text"), given.pop("file"))
    wanted = Wanted(**{one.name: given.pop(one.name) for one in fields(Wanted)})
    subject = Subject(text, **{one.name: given.pop(one.name) for one in fields(Subject)[1:]})
    options = {name.removeprefix("backend_"): value for name, value in given.items() if value is not None}
    choice = Choice()
    if layers or heads:
        choice = Choice(_numbers(layers), _numbers(heads), named=True)
    backend = _backend(model, options)
    with console.waiting(f"{backend.source.model} ..."), stdout_aside(), backend:
        explanation = look(backend, subject)
    parts = _parts(explanation, wanted.part)
    for part in parts if wanted.part or wanted.as_json else parts[:1]:
        choice.check(part)
    _save(explanation, parts[0], choice, wanted)
    _print(explanation, parts, choice, wanted)


explain.params += [
    one.option() for one in parameters(Options, "backend") if one.key.removeprefix("backend_") in LOADING
]


def _text(text: str | None, file: Path | None) -> str:
    from nlptasks.data import read_text

    if text not in (None, "-") and file:
        raise click.UsageError("Give a text or --file, not both.")
    if text in (None, "-") and file is None and not sys.stdin.isatty():
        file = Path("-")
    if file is not None:
        return read_text(file).strip()
    if text in (None, "-"):
        raise click.UsageError("No text to explain. Give it as argument, with --file, or pipe it in.")
    return str(text)


def _numbers(given: tuple[str, ...]) -> tuple[int, ...] | None:
    return None if not given or ALL in given else tuple(dict.fromkeys(map(int, given)))


def _backend(name: str | None, options: dict[str, Any]) -> HFBackend:
    """Return the local model, with attention that can be watched."""
    from nlptasks import config
    from nlptasks.backends.factory import BackendFactory, provider_factory
    from nlptasks.backends.hf import load
    from nlptasks.backends.hf.backend import HFBackend
    from nlptasks.errors import UnsupportedError
    from nlptasks.plugin import registry

    settings = config.load()
    name = name or settings.model
    if provider_factory(name) is not load:
        raise UnsupportedError(f"{name!r} cannot be looked into: name a local model: --model hf/FOLDER or hf/HUB-ID.")
    registry().plugins.require(settings.required_plugins)
    backend = BackendFactory(name, {**options, "attention": "eager"}).bare()
    assert isinstance(backend, HFBackend)
    return backend


def _parts(explanation: Explanation, name: str | None) -> tuple[Part, ...]:
    if name is None:
        return explanation.parts
    found = tuple(part for part in explanation.parts if part.name == name)
    if not found:
        have = " and ".join(part.name for part in explanation.parts)
        raise click.UsageError(f"{explanation.model!r} has no {name} attention; it has {have}.")
    return found


def _save(explanation: Explanation, part: Part, choice: Choice, wanted: Wanted) -> None:
    if wanted.png:
        from nlptasks.explain.picture import picture

        found = picture(explanation, part, choice, wanted.font)
        _write(wanted.png, found.png)
        if found.missing:
            few = " ".join(found.missing[:8]) + (" ..." if len(found.missing) > 8 else "")
            console.note(
                f"No font here can write {few}: such tokens stand as #position. Install one (Noto Sans CJK ...) "
                "or name it with --font."
            )
    if wanted.html:
        from nlptasks.explain.page import page

        _write(wanted.html, page(explanation, choice).encode())


def _write(path: Path, data: bytes) -> None:
    from nlptasks.errors import RunError

    try:
        path.write_bytes(data)
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror}.") from None
    console.note(f"written: {path}")


def _print(explanation: Explanation, parts: tuple[Part, ...], choice: Choice, wanted: Wanted) -> None:
    from nlptasks.explain.steps import steps

    numbers = None
    if wanted.position is not None:
        numbers = steps(parts[0], *choice.one(parts[0]), wanted.position)
    if wanted.as_json:
        from nlptasks.explain.report import steps_to_dict, to_dict

        found = to_dict(explanation, parts, choice)
        console.say_json({**found, "steps": steps_to_dict(numbers)} if numbers else found)
        return
    from rich.console import Console

    from nlptasks.explain.terminal import show, show_steps

    screen = Console()
    if numbers:
        show_steps(screen, numbers)
    else:
        show(screen, explanation, parts[0], choice)
