"""Which plugins are loaded, and which of two that claim one name is meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nlptasks.errors import CollisionError, MissingExtraError, PluginError, UnknownNameError
from nlptasks.plugin import PluginManager, Registry
from nlptasks.plugin.state import config_directory, set_disabled
from tests.plugin.conftest import Site
from tests.support import Cli

ECHOING = """
    from nlptasks import Completion
    from nlptasks.backends.base import Backend

    @hookimpl
    def register_backends():
        return [Spec("NAME", __name__ + ":load", "shouts")]

    class Shout(Backend):
        def complete(self, requests):
            return [Completion(request.messages[-1].content.upper()) for request in requests]

    def load(model: str) -> Shout:
        print("a print of the factory")
        return Shout()
"""
TASK = """
    from pydantic import BaseModel
    from nlptasks import Request, Message, Task

    class Text(BaseModel):
        text: str

    class Nothing(BaseModel):
        pass

    class Reverse(Task[Text, Nothing, Text]):
        name = "reverse"
        Input, Options, Output = Text, Nothing, Text

        def prompt(self, sample, options):
            return Request((Message("user", sample.input.text),))

        def parse(self, sample, completion):
            return Text(text=completion.text[::-1])
"""


def task(name: str, verb: str = "", base: str = TASK) -> str:
    return f"""{base}
    @hookimpl
    def register_tasks():
        return [Spec("{name}", __name__ + ":Reverse", "backwards", verb="{verb}")]
"""


def states(manager: PluginManager) -> dict[str, str]:
    return {name: plugin.state for name, plugin in manager.plugins.items() if plugin.distribution != "nlptasks"}


def test_only_the_named_plugins_are_loaded(site: Site, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    site.install("wanted", task("reverse"))
    site.install("other", "raise ValueError", distribution="other-stranger")
    monkeypatch.setenv("NLPTASKS_PLUGINS", "wanted, ")
    done = cli("tasks", "list", "--json")
    assert [one["name"] for one in json.loads(done.out)] == ["reverse"]
    assert done.err == ""
    monkeypatch.setenv("NLPTASKS_PLUGINS", "wantet")
    done = cli("tasks", "list", "--json")
    assert (done.code, json.loads(done.out)) == (0, [])
    [line] = done.err.splitlines()
    assert line == (
        "warning: Plugin 'wantet' (NLPTASKS_PLUGINS) cannot be used: Unknown plugin 'wantet'. Did you mean 'wanted'?"
    )
    monkeypatch.setenv("NLPTASKS_STRICT_PLUGINS", "yes")
    done = cli("tasks", "list")
    assert (done.code, done.err) == (2, "error: NLPTASKS_STRICT_PLUGINS is 0 or 1, not 'yes'\n")


def test_the_name_of_a_plugin_goes_to_nlptasks_and_then_to_the_first(site: Site, cli: Cli) -> None:
    site.install("chat", task("reverse"))
    site.install("same", distribution="a-stranger")
    site.install("same", distribution="b-stranger")
    manager = PluginManager()
    assert manager.plugins["chat"].distribution == "nlptasks"
    assert states(manager) == {"chat@stranger": "broken", "same": "loaded", "same@b-stranger": "broken"}
    assert manager.plugins["chat@stranger"].error.startswith("the name 'chat' is taken by 'chat' (nlptasks ")
    assert manager.plugins["same@b-stranger"].error == "the name 'same' is taken by 'same' (a-stranger 1.2)"
    for name in ("chat@stranger", "same@a-stranger"):
        assert cli("plugins", "disable", name).code == 0
    manager = PluginManager(strict=True)
    assert manager.plugins["same"].distribution == "b-stranger"
    assert states(manager) == {"same": "loaded", "chat@stranger": "disabled", "same@a-stranger": "disabled"}


def test_all_plugins_of_a_disabled_name_are_off(site: Site) -> None:
    site.install("chat", task("reverse"))
    set_disabled("chat", True)
    manager = PluginManager()
    chats = [plugin.state for name, plugin in manager.plugins.items() if name.startswith("chat")]
    assert chats == ["disabled", "disabled"]


def test_an_unreadable_list_of_disabled_plugins_disables_none(site: Site) -> None:
    site.install("sound")
    config_directory().mkdir(parents=True, exist_ok=True)
    (config_directory() / "disabled-plugins.txt").write_bytes(b"sound\n\xff\xfe")
    assert states(PluginManager()) == {"sound": "loaded"}


def test_the_same_distribution_twice_on_the_path_counts_once(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install("twice", "raise ValueError('the older copy')")
    newer = Site(tmp_path / "newer")
    newer.path.mkdir()
    newer.install("twice")
    monkeypatch.syspath_prepend(str(newer.path))
    assert states(PluginManager(strict=True)) == {"twice": "loaded"}


def test_two_tasks_of_one_name(site: Site, cli: Cli) -> None:
    site.install("one", task("reverse", "turn"), distribution="a-stranger")
    site.install("two", task("reverse", "turn"), distribution="b-stranger")
    done = cli("tasks", "list")
    assert (done.code, done.err) == (0, "")
    for used, choices in (
        (["run", "reverse"], "The task 'reverse' is claimed by 'one' (a-stranger 1.2) and 'two' (b-stranger 1.2)"),
        (["turn"], "The command 'turn' is claimed by 'one' (a-stranger 1.2) and 'two' (b-stranger 1.2)"),
    ):
        done = cli(*used, "--text", "abc", "--model", "echo")
        assert (done.code, done.out) == (1, "")
        assert done.err == f"error: {choices}: say one:{used[-1]} or two:{used[-1]}.\n"
    for used in (["run", "two:reverse"], ["two:turn"]):
        done = cli(*used, "--model", "echo", "abc")
        assert (done.code, done.out, done.err) == (0, "cba\n", "")


@pytest.mark.parametrize("name", ["chat", "summarization"])
def test_a_built_in_task_is_not_replaced_silently(name: str, site: Site) -> None:
    site.install("rival", task(name))
    registry = Registry(PluginManager(strict=True))
    with pytest.raises(CollisionError, match=rf"claimed by .*nlptasks .* and .*stranger 1\.2.*rival:{name}"):
        registry.load("task", name)
    assert registry.load("task", f"rival:{name}").__module__ == "stranger_rival"
    own = "chat" if name == "chat" else "summarization"
    assert registry.load("task", f"{own}:{name}").__module__.startswith("nlptasks_")


def test_a_verb_that_is_a_tool_already_is_reached_by_its_plugin(site: Site, cli: Cli) -> None:
    site.install("rival", task("reverse", "doctor"))
    assert "doctor" in cli("--help").out
    assert "Check this installation" in cli("doctor", "--help").out
    assert cli("rival:doctor", "--model", "echo", "abc").out == "cba\n"


def test_two_backends_of_one_name(site: Site, cli: Cli) -> None:
    site.install("loud", ECHOING.replace("NAME", "echo"))
    done = cli("summarize", "--text", "abc", "--model", "echo")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "error: The backend 'echo' is claimed by 'backends' (nlptasks) and 'loud' (stranger 1.2): "
        "say backends:echo or loud:echo.\n"
    )
    assert cli("run", "text-generation", "--model", "backends:echo", "abc").out == "abc\n"
    done = cli("run", "text-generation", "--model", "loud:echo/any/thing", "abc")
    assert (done.code, done.out, done.err) == (0, "ABC\n", "a print of the factory\n")


def test_unknown_names_are_met_with_the_nearest() -> None:
    registry = Registry(PluginManager())
    with pytest.raises(UnknownNameError, match="Did you mean 'summarization'"):
        registry.find("task", "sumarization")
    with pytest.raises(UnknownNameError, match="'nobody:summarization'"):
        registry.find("task", "nobody:summarization")


SPEC = """
    @hookimpl
    def register_tasks():
        return [Spec("given", "TARGET", requires="REQUIRES")]
"""


@pytest.mark.parametrize(
    ("code", "target", "requires", "error", "message"),
    [
        (
            "",
            "no_such_module:X",
            "",
            PluginError,
            "cannot be used: ModuleNotFoundError: No module named 'no_such_module'",
        ),
        ("", "no_such_module:X", "fast", PluginError, "No module named 'no_such_module'"),
        ("", "stranger_given:Missing", "", PluginError, "has no attribute 'Missing'"),
        ("import torch_of_my_own", "late:X", "", PluginError, "No module named 'torch_of_my_own'"),
        ("import torch_of_my_own", "late:X", "fast", MissingExtraError, r"pip install 'stranger\[fast\]'"),
        ("import lat", "late:X", "fast", MissingExtraError, r"pip install 'stranger\[fast\]'"),
        ("import late.further", "late:X", "fast", PluginError, "No module named 'late.further'"),
        ("raise SystemExit(4)", "late:X", "", PluginError, r"it called sys.exit\(4\)"),
        ("x = 1 / 0", "late:X", "fast", PluginError, "ZeroDivisionError"),
    ],
)
def test_a_target_that_cannot_be_had(
    code: str,
    target: str,
    requires: str,
    error: type[Exception],
    message: str,
    site: Site,
) -> None:
    site.install("given", SPEC.replace("TARGET", target).replace("REQUIRES", requires))
    site.module("late", code)
    registry = Registry(PluginManager(strict=True))
    with pytest.raises(error, match=message) as caught:
        registry.load("task", "given")
    assert str(caught.value).startswith("The task 'given' of plugin 'given' (stranger 1.2)")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("os:sep", "is '/', which is no Task"),
        ("os:PathLike", "which is no Task"),
        ("json:nothing", "no attribute 'nothing'"),
    ],
)
def test_a_target_that_is_no_task(target: str, message: str, site: Site, cli: Cli) -> None:
    site.install("given", SPEC.replace("TARGET", target).replace("REQUIRES", ""))
    done = cli("run", "given", "abc", "--model", "echo")
    assert (done.code, done.out) == (1, "")
    [line] = done.err.splitlines()
    assert message in line


BACKEND = """
    from typing import TYPE_CHECKING
    if TYPE_CHECKING:
        from somewhere import Elsewhere

    @hookimpl
    def register_backends():
        return [Spec("given", "TARGET", requires="fast")]

    def none(model: str) -> "Elsewhere":
        return model

    def late(model: str):
        import torch_of_my_own

    def fails(model: str):
        raise KeyError("lost")

    def exits(model: str):
        raise SystemExit(7)
"""


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("os:sep", "error: The backend 'given' is a str, which cannot be called."),
        ("stranger_given:none", "error: The backend 'given' gave str, which is no Backend."),
        (
            "stranger_given:late",
            "error: The backend 'given' of plugin 'given' (stranger 1.2) needs an extra: pip install 'stranger[fast]'",
        ),
        (
            "stranger_given:fails",
            "error: The backend 'given' of plugin 'given' (stranger 1.2) cannot be used: KeyError: 'lost'",
        ),
        (
            "stranger_given:exits",
            "error: The backend 'given' of plugin 'given' (stranger 1.2) cannot be used: it called sys.exit(7)",
        ),
    ],
)
def test_a_target_that_is_no_backend(target: str, message: str, site: Site, cli: Cli) -> None:
    site.install("given", BACKEND.replace("TARGET", target))
    done = cli("run", "text-generation", "abc", "--model", "given/x")
    assert (done.code, done.out) == (1, "")
    assert done.err == message + "\n"
