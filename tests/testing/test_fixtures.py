"""The fixtures that come to every test of a plugin."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import nlptasks.testing
from nlptasks import Backend, Completion, Delta, Failure, Message, Request
from nlptasks.backends.factory import BackendFactory
from nlptasks.testing.command import Cli
from nlptasks.testing.faults import status
from nlptasks.testing.fixtures import KeptOpen
from nlptasks.testing.scripted import BackwardsBackend, ScriptedBackend
from nlptasks.testing.servers import FaultServer, ok

ASKED = [Request((Message("user", text),)) for text in ("one", "two", "three")]


def texts(backend: Backend) -> list[str]:
    return [answer.text for answer in backend.complete(ASKED) if isinstance(answer, Completion)]


def test_the_echo_backend_repeats(echo_backend: Backend) -> None:
    assert texts(echo_backend) == ["one", "two", "three"]


def test_the_scripted_backend_says_what_it_is_told(scripted_backend: Callable[..., ScriptedBackend]) -> None:
    assert texts(scripted_backend("yes")) == ["yes"] * 3
    assert texts(scripted_backend(["yes", Completion("no")])) == ["yes", "no", "yes"]
    assert texts(scripted_backend(lambda request: request.messages[0].content.upper())) == ["ONE", "TWO", "THREE"]
    failing = scripted_backend(Failure("scripted", "no"), context=8)
    assert texts(failing) == []
    assert failing.received == ASKED
    assert not failing.limits().fits(Request((Message("user", "word " * 20),)))


def test_the_scripted_backend_streams(scripted_backend: Callable[..., ScriptedBackend]) -> None:
    said = Completion("Drei Uhr.", reasoning="the clock")
    assert list(scripted_backend(said).stream(ASKED[0])) == [
        Delta(reasoning="the clock"), Delta("Drei"), Delta(" Uhr."), said,
    ]  # fmt: skip


def test_the_backwards_backend_answers_the_last_first() -> None:
    backend = BackwardsBackend(lambda request: request.messages[0].content)
    with backend.open() as session:
        for number, request in enumerate(ASKED):
            session.put(number, request)
        assert [session.get() for _ in ASKED] == [
            (2, Completion("three")),
            (1, Completion("two")),
            (0, Completion("one")),
        ]


def test_a_fault_server_does_as_told(fault_server: Callable[..., FaultServer], cli_runner: Cli) -> None:
    server = fault_server(status(500), ok, models=("mine",))
    options = ["--model", "openai/mine", "--base-url", server.base_url, "--max-retries", "2"]
    done = cli_runner("run", "text-generation", "Ada", *options)
    assert (done.code, done.out) == (0, "Ada\n"), done.err
    assert len([one for one in server.requests if one.path == "/v1/chat/completions"]) == 2


def test_a_tiny_model_is_built_once(tiny_model: Callable[[str], Path]) -> None:
    folder = tiny_model("gpt2")
    assert (folder / "model.safetensors").exists()
    assert tiny_model("gpt2") is folder


def test_the_cli_runner_is_apart_from_the_users_settings(cli_runner: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    done = cli_runner("run", "text-generation", "--model", "echo", stdin="Grüße, 世界")
    assert (done.code, done.out) == (0, "Grüße, 世界\n"), done.err
    assert cli_runner("plugins", "disable", "chat").code == 0
    assert "chat" not in cli_runner("tasks", "list").out.split()
    assert "home" in os.environ["XDG_CONFIG_HOME"]
    monkeypatch.setenv("NLPTASKS_MODEL", "no-such-backend")
    assert "no-such-backend" in cli_runner("run", "summarization", "--text", "A text.").err


def test_one_backend_is_kept_open() -> None:
    class Noted(ScriptedBackend):
        closed = 0

        def close(self) -> None:
            Noted.closed += 1

    kept = KeptOpen()
    first, same, other = (BackendFactory(name, {}) for name in ("echo", "echo", "other"))
    opened = kept(first, lambda factory: Noted("yes"))
    assert kept(same, lambda factory: Noted("no")) is opened
    assert Noted.closed == 0
    assert kept(other, lambda factory: Noted("no")) is not opened
    assert Noted.closed == 1
    kept.close()
    assert Noted.closed == 2


def test_the_plugin_costs_other_projects_nothing() -> None:
    names = "print(*set(sys.modules) - before)"
    code = f"import sys, pytest; before = set(sys.modules); import nlptasks.testing.fixtures; {names}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"nlptasks", "nlptasks.testing", "nlptasks.testing.fixtures"}


def test_all_names_are_there() -> None:
    assert {getattr(nlptasks.testing, name).kind for name in nlptasks.testing.__all__} == {
        "task", "backend", "metric", "benchmark",
    }  # fmt: skip
    with pytest.raises(AttributeError, match="no_such_name"):
        nlptasks.testing.no_such_name  # noqa: B018


@pytest.mark.parametrize("kind", ["Task", "Backend", "Benchmark"])
def test_a_contract_brings_nothing_heavy(kind: str) -> None:
    code = f"import sys; from nlptasks.testing import {kind}Contract; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "evaluate", "datasets", "numpy", "httpx"} & set(done.stdout.split())
