"""Who is let in: by token, by name of the host, and by kind of content."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from nlptasks.backends.echo import load as echo
from nlptasks.errors import ConfigError
from nlptasks.server.desk import Desk
from nlptasks.server.listen import Address
from tests.server.conftest import Serve
from tests.support import Cli

CHAT = {"input": {"message": "Hi"}}


def test_without_the_token_nothing_is_answered(serve: Serve) -> None:
    served = serve(echo(""), token="geheim-ü")
    wrong: list[dict[str, str]] = [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "geheim"},
        {"Authorization": "Bearer"},
    ]
    for shown in wrong:
        for path in ("/v1/tasks", "/v1/models", "/metrics"):
            answer = served.http.get(path, headers=shown)
            assert answer.status_code == 401
            assert answer.json()["error"]["type"] == "authentication_error"
        assert served.post("/v1/tasks/chat", CHAT, headers=shown).status_code == 401
    assert served.http.get("/healthz").text == "ok"
    right = {"Authorization": "Bearer geheim-ü".encode()}
    assert served.post("/v1/tasks/chat", CHAT, headers=right).status_code == 200


def test_pages_of_other_sites_are_kept_out(serve: Serve) -> None:
    served = serve(echo(""))
    assert served.http.get("/v1/tasks", headers={"Host": "evil.example"}).status_code == 400
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = served.http.post("/v1/tasks/chat", content=json.dumps(CHAT), headers={"Content-Type": kind})
        assert answer.status_code == 415
        assert "application/json" in answer.json()["error"]["message"]
    asking = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    refused = served.http.options("/v1/tasks/chat", headers=asking)
    assert not [name for name in refused.headers if name.lower().startswith("access-control")]


def test_the_description_needs_no_other_host(serve: Serve) -> None:
    served = serve(echo(""))
    page = served.http.get("/docs").text
    assert "https://" not in page.replace("https://www.w3.org", "")
    assert "//cdn" not in page
    assert served.http.get("/static-offline-docs/swagger-ui-bundle.js").status_code == 200


@pytest.mark.parametrize(("host", "private"), [("127.0.0.1", True), ("::1", True), ("localhost", True)])
def test_loopback_is_private(host: str, private: bool) -> None:
    assert Address(host, 0).private is private


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.org"])
def test_other_addresses_are_not_private(host: str) -> None:
    assert not Address(host, 0).private


def test_an_open_server_must_be_wanted(cli: Cli) -> None:
    result = cli("serve", "-m", "echo", "--host", "0.0.0.0")
    assert result.code == 2
    assert "--insecure" in result.err


def test_a_port_that_is_taken_is_said() -> None:
    with Address("127.0.0.1", 0).bind() as first, pytest.raises(ConfigError, match="port"):
        Address("127.0.0.1", first.getsockname()[1]).bind()


def test_a_port_that_is_taken_is_said_before_a_model_is_loaded(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Desk, "__enter__", lambda desk: pytest.fail("a model was loaded"))
    with Address("127.0.0.1", 0).bind() as first:
        result = cli("serve", "-m", "echo", "--port", str(first.getsockname()[1]))
    assert result.code == 2
    assert "choose another" in result.err


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM there")
@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_told_to_end(tmp_path: Path, told: signal.Signals) -> None:
    command = [sys.executable, "-m", "nlptasks", "serve", "-m", "echo", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        said = process.stderr.readline()
        assert "Serving echo at http://127.0.0.1:" in said
        url = next(word for word in said.split() if word.startswith("http://"))
        assert httpx.post(f"{url}/v1/tasks/chat", json=CHAT).json()["results"][0]["output"]["reply"] == "Hi"
        process.send_signal(told)
        assert process.wait(20) == 0, "all was left in order"
        assert not process.stderr.read()
