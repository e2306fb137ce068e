"""What the guide quotes: passages of the documentation that are true, found, named with their source, and shipped."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from nlptasks.cli import TaskCommand
from nlptasks.cli.main import group
from nlptasks_embedded.guide.pages import PROJECT_PAGES, Passage, passages
from nlptasks_embedded.guide.phrases import PHRASES
from nlptasks_embedded.guide.search import find, named
from tests.plugins.guide_prompts import chat, flat
from tests.support import Cli

ROOT = Path(__file__).parents[2]
PAGES = [*(ROOT / name for name in PROJECT_PAGES), *(ROOT / "plugins/nlptasks_embedded/guide/pages").glob("*.md")]


def test_every_passage_stands_in_a_page_or_in_the_help() -> None:
    pages = flat("".join(page.read_text("utf-8") for page in PAGES))
    helps = {flat(record) for record in _help_records()}
    for passage in passages():
        if passage.kind in ("option", "command"):
            name, _, text = passage.text.removeprefix("`").partition("`: ")
            assert flat(text) in helps or flat(name + text) in helps, passage
        else:
            assert all(flat(line) in pages for line in passage.text.splitlines() if "```" not in line), passage


@pytest.mark.parametrize(
    ("question", "part", "source"),
    [
        ("How do I install nlptasks?", "pip install", "README: Try it"),
        ("how do i choose a model", "NLPTASKS_MODEL", "README: Choose a model"),
        ("what do the exit codes mean", "130 interrupted", "README: Many rows"),
        ("what does --length do", "--length [short|medium|long]", "nlptasks summarize --help"),
        ("can i resume a run that crashed", "where it stopped", "README: Many rows"),
        ("what is a guard", "guard", "Guide: Guards"),
        ("how do I compare two runs", "nlptasks compare", "README: Scores that can be quoted"),
        ("Wie wähle ich ein anderes Modell?", "NLPTASKS_MODEL", "Leitfaden: Modell wählen"),
        ("Was bedeutet Exit-Code 3?", "fehlgeschlagenen Zeilen", "Leitfaden: Exit-Codes (Rückgabewerte)"),
        ("Was macht --top-p?", "--top-p FLOAT", "--help"),
        ("如何选择模型？", "NLPTASKS_MODEL", "README.zh-CN: 选择模型"),
        ("我的數據會上傳嗎？", "embedded", "指南: 隐私"),
    ],
)
def test_a_question_about_nlptasks_is_answered_with_its_source(question: str, part: str, source: str) -> None:
    [answer] = chat(question)
    assert part in answer.text
    assert answer.text.endswith(f"{source})")


@pytest.mark.parametrize("passage", [p for p in passages() if p.kind == "option"][::9], ids=lambda p: p.text[:30])
def test_an_option_that_is_named_is_found(passage: Passage) -> None:
    flag = re.findall(r"--[a-z][\w-]+", passage.text.partition("`:")[0])[0]
    found = find(named(f"what is {flag}?"), "en")
    assert found is not None
    assert flag in found.text


def _commands(parent: click.Group, above: click.Context, called: str) -> Iterator[tuple[str, click.Context]]:
    for name in parent.list_commands(above):
        command = parent.get_command(above, name)
        assert command is not None
        model = ["--model", "hf/x"] if isinstance(command, TaskCommand) else []
        context = command.make_context(name, [*model, "--help"], above, resilient_parsing=True)
        yield f"{called} {name}", context
        if isinstance(command, click.Group):
            yield from _commands(command, context, f"{called} {name}")


@cache
def _all_commands() -> dict[str, click.Context]:
    top = click.Context(group, info_name="nlptasks")
    return {"nlptasks": top, **dict(_commands(group, top, "nlptasks"))}


def _help_records() -> Iterator[str]:
    from nlptasks.cli.main import SUMMARIES
    from nlptasks.plugin import registry

    for kind in ("task", "command"):
        yield from (entry.spec.summary for entry in registry().entries(kind))
    yield from SUMMARIES.values()
    for context in _all_commands().values():
        yield context.command.get_short_help_str(200)
        for parameter in context.command.get_params(context):
            yield "".join(parameter.get_help_record(context) or ())


@pytest.mark.parametrize("page", [page for page in PAGES if page.name.startswith("guide.")], ids=lambda page: page.name)
def test_every_command_and_option_that_the_guide_names_exists(page: Path) -> None:
    commands = _all_commands()
    flags = {flag for context in commands.values() for one in context.command.get_params(context) for flag in one.opts}
    spoken = re.findall(r"`([^`]+)`", page.read_text("utf-8") + " ".join(PHRASES[page.name[6:8]].values()))
    calls = [call.split() for call in spoken if call.startswith("nlptasks ")]
    assert len(calls) > 2
    for call in calls:
        words = [word for word in call[1:] if re.fullmatch("[a-z]+", word)]
        name = next((n for k in (3, 2, 1) if (n := " ".join(["nlptasks", *words[:k]])) in commands), "nlptasks")
        assert name != "nlptasks" or call[1] == "--help", call
        own = {flag for one in commands[name].command.get_params(commands[name]) for flag in one.opts}
        unknown = {word for word in call if word.startswith("--")} - own
        assert unknown <= {"--base-url"}, call  # an option of another backend, which the next line finds
    found, known = (
        set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", " ".join(spoken))),
        flags | {"--base-url", "--api-key-env", "--help"},
    )
    assert found <= known


def test_the_options_of_the_server_backend_that_the_guide_names_exist(cli: Cli) -> None:
    shown = cli("chat", "--model", "openai/x", "--help").out
    assert "--base-url" in shown
    assert "--api-key-env" in shown


def test_the_wheel_carries_the_pages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        for name in PROJECT_PAGES:
            assert file.read(f"nlptasks_embedded/guide/project/{name}") == (ROOT / name).read_bytes()
        assert "nlptasks_embedded/guide/pages/guide.de.md" in file.namelist()
