"""Any bytes as the body of a request: never a mistake of the server, always JSON, and the next request is answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptasks.backends.echo import load as echo
from tests.abuse.damage import JSON, content, fuzzed
from tests.server.conftest import Served, serving

SOUND: dict[str, dict[str, Any]] = {
    "/v1/tasks/summarization": {"input": {"document": "Ein Satz."}, "options": {"length": "short"}, "stream": False},
    "/v1/tasks/translation": {"input": [{"source": "Hallo", "target_lang": "en"}, {"source": 7}]},
    "/v1/tasks/question-answering": {"input": {"question": "Wer?", "context": [{"text": "Ich.", "name": "a"}]}},
    "/v1/tasks/chat": {"input": {"message": "Hallo", "history": []}, "stream": True},
    "/v1/chat/completions": {
        "model": "m",
        "messages": [{"role": "system", "content": "x"}, {"role": "user", "content": [{"type": "text", "text": "y"}]}],
        "max_tokens": 5,
        "temperature": 0.5,
        "stop": ["z"],
        "stream": True,
        "stream_options": {"include_usage": True},
        "response_format": {"type": "json_object"},
    },
}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(echo("")) as one:
        yield one


@pytest.mark.parametrize("path", SOUND)
def test_any_body(path: str, served: Served) -> None:
    whole = json.dumps(SOUND[path]).encode()
    members = st.dictionaries(st.sampled_from([*SOUND[path], "x"]), JSON, max_size=4)
    bodies = content(whole) | members.map(lambda value: json.dumps({**SOUND[path], **value}).encode())

    @fuzzed
    @given(bodies, st.sampled_from(["application/json", "text/plain", "application/json; charset=latin-1", "x"]))
    def check(body: bytes, kind: str) -> None:
        answer = served.http.post(path, content=body, headers={"Content-Type": kind})
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            assert answer.json()["error"]["message"]
        elif not answer.headers["Content-Type"].startswith("text/event-stream"):
            answer.json()

    check()
    assert "error" not in served.run("summarization", {"document": "Noch da."})[0]
    assert served.idle()


def test_any_path(served: Served) -> None:
    @fuzzed
    @given(st.text(max_size=30), st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"]))
    def check(path: str, method: str) -> None:
        answer = served.http.request(method, "/" + quote(path, errors="replace"))
        assert answer.status_code < 500

    check()
