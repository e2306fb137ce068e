"""The documentation as passages to quote: pages in Markdown, and what the command line says of itself.

The pages of the project are part of the wheel; where the package runs from its source tree they are
found there. ``pages/`` beside this module holds what they lack in a language.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from nlptasks import NLPTasksError

if TYPE_CHECKING:
    import click
    from markdown_it.token import Token

OWN = "pages"
PROJECT = "project"
"""Folders of pages in the package: our own, and those that the wheel takes from the project."""
LONGEST = 200  # characters of a command's summary
PROJECT_PAGES = ("README.md", "README.zh-CN.md", "CHANGELOG.md")
KINDS = {"paragraph": 1.0, "change": 0.6, "code": 0.8, "row": 0.8, "command": 0.6, "option": 0.5}
"""Of what kind passages are, and how likely each is what a user wants to read."""


@dataclass(frozen=True)
class Passage:
    """A piece of a page, word for word but for line breaks.

    ``about`` is what it stands under: headings, or a command; ``first`` tells whether it comes first there.
    ``kind`` is one of ``KINDS``.
    """

    text: str
    source: str
    language: str
    about: str = ""
    first: bool = False
    kind: str = "paragraph"


@cache
def passages() -> tuple[Passage, ...]:
    """Return all there is to quote. Imports the tasks, for their options; loads no model."""
    pages = (passage for name, text in sorted(_pages().items()) for passage in _of_page(name, text))
    found = [*pages, *_of_commands()]
    return tuple({passage.text: passage for passage in reversed(found)}.values())[::-1]


def _pages() -> dict[str, str]:
    package = files(__package__)
    own = [page for page in (package / OWN).iterdir() if page.name.endswith(".md")]
    shipped = package / PROJECT
    if shipped.is_dir():
        project = [page for page in shipped.iterdir() if page.name.endswith(".md")]
    else:
        root = Path(__file__).parents[3]
        project = [page for name in PROJECT_PAGES if (page := root / name).is_file()]
    return {page.name.removesuffix(".md"): page.read_text("utf-8") for page in (*project, *own)}


def _of_page(name: str, text: str) -> Iterator[Passage]:
    """Yield the paragraphs, list items, table rows and lines of code of a page."""
    from markdown_it import MarkdownIt

    language = name.partition(".")[2].partition("-")[0] or "en"
    lines, headings = text.splitlines(), [""] * 7
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    page, first = name, True
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            level = int(token.tag[1])
            headings[level:] = [tokens[number + 1].content, *[""] * (6 - level)]
            page, first = headings[1] if name.startswith("guide.") else name, True
        below = next((heading for heading in reversed(headings[2:]) if heading), "")
        for kind, quoted in _quotable(tokens, number, lines, language):
            kind = "change" if name == "CHANGELOG" else "paragraph" if first else kind
            source = f"{page}: {below}" if below else page
            yield Passage(quoted, source, language, " ".join(filter(None, headings)), first, kind)
            first = False


def _quotable(tokens: list[Token], number: int, lines: list[str], language: str) -> Iterator[tuple[str, str]]:
    """Yield what one block is quoted as, each with its kind; code goes with the paragraph that announces it."""
    token = tokens[number]
    if token.type == "paragraph_open":
        text = ("" if language == "zh" else " ").join(tokens[number + 1].content.splitlines())
        code = tokens[number + 3] if text.endswith((":", "：")) and number + 3 < len(tokens) else token
        yield "paragraph", f"{text}\n{code.content.rstrip()}" if code.type == "fence" else text
    elif token.type == "tr_open" and token.map and tokens[number - 1].type != "thead_open":
        yield "row", lines[token.map[0]].strip("| ")
    elif token.type == "fence" and not (number > 1 and tokens[number - 2].content.endswith((":", "："))):
        explained = [line for line in token.content.splitlines() if "  #" in line]
        yield from (("code", line) for line in explained or [token.content.rstrip()])


def _of_commands() -> Iterator[Passage]:
    """Yield each command with its summary, and each option with its help."""
    import click

    from nlptasks.cli.main import SUMMARIES, group
    from nlptasks.plugin import registry

    summaries = {entry.spec.verb: entry.spec.summary for entry in registry().entries("task")}
    summaries |= {entry.spec.name: entry.spec.summary for entry in registry().entries("command")} | SUMMARIES
    context = click.Context(group, info_name="nlptasks")
    for name in group.list_commands(context):
        yield Passage(f"`nlptasks {name}`: {summaries[name]}", "nlptasks --help", "en", name, True, "command")
        yield from _of_command(group, name, context, f"nlptasks {name}")


def _of_command(parent: click.Group, name: str, above: click.Context, called: str) -> Iterator[Passage]:
    """Yield the options of a command and the commands below it; of one that a broken plugin brings, none."""
    import click

    from nlptasks.cli import TaskCommand

    try:
        command = parent.get_command(above, name)
        if command is None:
            return
        model = ["--model", "hf/x"] if isinstance(command, TaskCommand) else []
        context = command.make_context(name, [*model, "--help"], above, resilient_parsing=True)
    except NLPTasksError:
        return
    help_ = command.get_short_help_str(LONGEST)
    if " " in called.removeprefix("nlptasks ") and help_:
        yield Passage(f"`{called}`: {help_}", f"nlptasks {called.split()[1]} --help", "en", called, True, "command")
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record and "--help" not in parameter.opts:
            yield Passage(f"`{record[0]}`: {record[1]}", f"{called} --help", "en", called, kind="option")
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            yield from _of_command(command, inner, context, f"{called} {inner}")
