from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.conftest import Tiny

COMMIT = "a" * 40
SCRIPT = """
import json, sys
from nlptasks.backends.hf import Options, load
from nlptasks.errors import ModelError
from nlptasks.records import GenerationConfig, Message, Request

for model, options in json.loads(sys.argv[1]):
    try:
        with load(model, Options(**options)) as backend:
            request = Request((Message("user", "Hi"),), config=GenerationConfig(max_new_tokens=3))
            [answer] = backend.complete([request])
            print(json.dumps({"text": answer.text, "revision": backend.identity()["revision"]}))
    except ModelError as error:
        print(json.dumps({"error": str(error)}))
"""


class Hub(BaseHTTPRequestHandler):
    """The part of a model hub that downloads need: files by repository and revision, and its error codes."""

    def __init__(self, folders: Mapping[str, Path], *args: object) -> None:
        self.folders = folders
        super().__init__(*args)  # type: ignore[arg-type]

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        owner, name, *rest = self.path.lstrip("/").removeprefix("api/models/").partition("?")[0].split("/")
        folder = self.folders.get(f"{owner}/{name}")
        if owner == "gated":
            return self.refuse(403, "GatedRepo")
        if folder is None:
            return self.refuse(401, "RepoNotFound")
        if len(rest) > 1 and rest[1] not in ("main", COMMIT):
            return self.refuse(404, "RevisionNotFound")
        if self.path.startswith("/api/"):
            return self.send(json.dumps([] if "tree" in rest else {"id": name, "sha": COMMIT}).encode(), body)
        file = folder.joinpath(*rest[2:])
        return self.send(file.read_bytes(), body) if file.is_file() else self.refuse(404, "EntryNotFound")

    def send(self, data: bytes, body: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{hashlib.sha1(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if body:
            self.wfile.write(data)

    def refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Write no log."""


@pytest.fixture(scope="module")
def hub(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pickled = tmp_path_factory.mktemp("hub") / "pickled"
    pickled.mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (pickled / name).write_bytes((tiny("llama") / name).read_bytes())
    (pickled / "pytorch_model.bin").write_bytes(b"no pickle is ever read")
    folders = {"tiny/llama": tiny("llama"), "tiny/pickled": pickled}
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Hub, folders)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def run(endpoint: str, home: Path, *models: tuple[str, dict[str, object]]) -> list[dict[str, str]]:
    """Load and ask models in a process of their own: the hub's address is read once."""
    kept = {k: v for k, v in os.environ.items() if "PROXY" not in k.upper() and not k.startswith("HF_")}
    environment = {**kept, "HF_ENDPOINT": endpoint, "HF_HOME": str(home), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SCRIPT, json.dumps(models)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_model_is_downloaded_once_and_then_found_offline(hub: str, tmp_path: Path) -> None:
    first = run(hub, tmp_path, ("tiny/llama", {}))
    assert first[0]["revision"] == COMMIT
    assert run("http://127.0.0.1:1", tmp_path, ("tiny/llama", {"offline": True})) == first


def test_what_the_hub_refuses_is_one_line(hub: str, tmp_path: Path) -> None:
    cases: list[tuple[str, dict[str, object], str]] = [
        ("tiny/nosuch", {}, "neither as a folder nor on the hub"),
        ("not a name!", {}, "neither as a folder nor on the hub"),
        ("tiny/llama", {"revision": "v9"}, "no revision 'v9'"),
        ("gated/llama", {}, "gated"),
        ("tiny/pickled", {}, "pickle"),
    ]
    answers = run(hub, tmp_path, *((model, options) for model, options, _ in cases))
    for (_, _, says), answer in zip(cases, answers, strict=True):
        assert says in answer["error"]
        assert "\n" not in answer["error"]
        assert len(answer["error"]) < 300
