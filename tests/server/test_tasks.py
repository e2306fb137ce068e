"""``/v1/tasks``: every installed task, one sample or many, whole or streamed."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from typing_extensions import Self

from nlptasks.backends.base import Answer, Backend, Capability
from nlptasks.backends.echo import load as echo
from nlptasks.errors import BackendError
from nlptasks.records import Completion, Failure, Request
from nlptasks.server.desk import Desk
from tests.server.conftest import Serve, Served, leave, serving

INPUTS: dict[str, dict[str, Any]] = {
    "chat": {"message": "Who wrote the letter?"},
    "summarization": {"document": "It rained all day. The river rose. The bridge was closed."},
    "translation": {"source": "Good morning.", "source_lang": "en", "target_lang": "de"},
    "question-answering": {"question": "Who came?", "context": "Anna came late. Ben left."},
    "text-generation": {"prompt": "Once upon a time"},
}


class Batches(Backend):
    """Answers with the last message, and keeps how many requests came at once."""

    batch_size = 32
    capabilities = frozenset({Capability.CHAT})

    def __init__(self, seconds: float = 0.01) -> None:
        self.sizes: list[int] = []
        self.seen: list[str] = []
        self._seconds = seconds

    def complete(self, requests: Sequence[Request]) -> Sequence[Answer]:
        self.sizes.append(len(requests))
        self.seen += [request.messages[-1].content for request in requests]
        time.sleep(self._seconds)
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Answer:
        text = request.messages[-1].content
        return Failure("content", "no such words here") if "forbidden" in text else Completion(text)


def events(answer: httpx.Response) -> list[Any]:
    """Return the events of a stream, the end mark last."""
    lines = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


@pytest.mark.parametrize("task", INPUTS)
def test_a_task_answers_one_sample_and_a_list(serve: Serve, task: str) -> None:
    served = serve(echo(""))
    [one] = served.run(task, INPUTS[task])
    assert one["output"]
    assert one["usage"].keys() == {"prompt_tokens", "completion_tokens"}
    assert [each["output"] for each in served.run(task, [INPUTS[task]] * 3)] == [one["output"]] * 3
    assert served.run(task, []) == []


def test_every_task_is_listed_with_its_schema(serve: Serve) -> None:
    served = serve(echo(""))
    listed = {one["name"]: one for one in served.http.get("/v1/tasks").json()}
    assert INPUTS.keys() <= listed.keys()
    for one in listed.values():
        assert {"properties"} <= one["input"].keys() & one["output"].keys() & one["options"].keys()


def test_a_bad_sample_fails_in_its_own_place(serve: Serve) -> None:
    served = serve(Batches())
    inputs = [INPUTS["chat"], {"massage": "?"}, "text", {"message": "forbidden"}, {"message": "last"}]
    found = served.run("chat", inputs)
    assert [next(iter(one)) for one in found] == ["output", "error", "error", "error", "output"]
    assert [one["error"]["type"] for one in found[1:4]] == ["input", "input", "content"]
    assert found[4]["output"]["reply"] == "last"


def test_what_a_model_cannot_do_is_said(serve: Serve) -> None:
    backend = Batches()
    backend.tasks = frozenset({"chat"})
    served = serve(backend)
    answer = served.post("/v1/tasks/translation", {"input": INPUTS["translation"]})
    assert answer.status_code == 422
    assert "chat only" in answer.json()["error"]["message"]
    listed = {one["name"]: one for one in served.http.get("/v1/tasks").json()}
    assert listed["chat"]["available"]
    assert listed["translation"]["reason"] == answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        (b"{", 400, "JSON"),
        (b"[" * 100_000, 400, "JSON"),
        (b"[1]", 400, "object"),
        (b"{}", 400, "input"),
        (b'{"input": {}, "option": {}}', 400, "option"),
        (b'{"input": {}, "stream": 1}', 400, "stream"),
        (b'{"input": {}, "options": [1]}', 400, "options"),
        (b'{"input": {}, "options": {"tempratur": 1}}', 400, "tempratur"),
        (b'{"input": {}, "options": {"extra": {"num_return_sequences": 9}}}', 400, "extra"),
        (b'{"input": [' + b",".join([b"{}"] * 65) + b"]}", 413, "64"),
        (b'{"input": "' + b"x" * 2000 + b'"}', 413, "1000 bytes"),
        (b"\xff", 400, "JSON"),
        (b'{"input": {}, "options": {"json_schema": "' + b"[" * 5000 + b'"}}', 400, "JSON"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_in_one_line(serve: Serve, body: bytes, status: int, word: str) -> None:
    served = serve(echo(""), body=1000 if b"xxx" in body else 200_000)
    answer = served.http.post("/v1/tasks/chat", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    message = answer.json()["error"]["message"]
    assert word in message
    assert "\n" not in message


def test_half_a_character_comes_back_as_it_was(serve: Serve) -> None:
    served = serve(echo(""))
    body = b'{"input": {"message": "half \\ud83d"}}'
    answer = served.http.post("/v1/tasks/chat", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    assert answer.json()["results"][0]["output"]["reply"] == "half \ud83d"


def test_no_path_or_address_is_opened(serve: Serve) -> None:
    served = serve(echo(""))
    for picture in ("/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:1/x.png"):
        [one] = served.run("chat", {"message": "What is this?", "images": [picture]})
        assert "data URI" in one["error"]["message"]


def test_a_stream_tells_pieces_then_results_then_its_end(serve: Serve) -> None:
    served = serve(echo(""))
    body = {"input": [{"message": "one"}, {"nothing": 1}, {"message": "two"}], "stream": True}
    answer = served.post("/v1/tasks/chat", body)
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    found = events(answer)
    for index, text in ((0, "one"), (2, "two")):
        own = [one for one in found if one["index"] == index]
        assert "".join(one["delta"]["text"] for one in own[:-1]) == text == own[-1]["output"]["reply"]
    assert next(one for one in found if one["index"] == 1)["error"]["type"] == "input"


def test_many_clients_share_batches(serve: Serve) -> None:
    backend = Batches()
    served = serve(backend)

    def client(number: int) -> list[str]:
        name = list(INPUTS)[number % len(INPUTS)]
        return [next(iter(one)) for _ in range(10) for one in served.run(name, INPUTS[name], options={"seed": number})]

    with ThreadPoolExecutor(16) as clients:
        found = list(clients.map(client, range(16)))
    assert found == [["output"] * 10] * 16
    assert sum(backend.sizes) / len(backend.sizes) > 2
    assert served.idle()


def test_one_who_leaves_frees_its_place_and_harms_nobody(serve: Serve) -> None:
    backend = Batches(seconds=0.2)
    served = serve(backend)
    gone = json.dumps({"input": [{"message": f"gone {n}"} for n in range(60)]}).encode()
    with ThreadPoolExecutor(5) as clients:
        leaving = [clients.submit(leave, served, "/v1/tasks/chat", gone, 0.1) for _ in range(2)]
        staying = [clients.submit(served.run, "chat", {"message": f"stays {n}"}) for n in range(2)]
        assert [one.result()[0]["output"]["reply"] for one in staying] == ["stays 0", "stays 1"]
        for one in leaving:
            one.result()
    assert served.idle()
    assert sum(text.startswith("gone") for text in backend.seen) < 120  # the rest was never asked


def test_a_full_server_says_when_to_come_again(serve: Serve) -> None:
    backend = Batches(seconds=0.5)
    served = serve(backend, capacity=4, samples=4)
    with ThreadPoolExecutor(1) as clients:
        first = clients.submit(served.run, "chat", [{"message": f"{n}"} for n in range(4)])
        while not served.service.desk.under_way:
            time.sleep(0.01)
        for stream in (False, True):
            refused = served.post("/v1/tasks/chat", {"input": {"message": "one more"}, "stream": stream})
            assert refused.status_code == 429
            assert int(refused.headers["Retry-After"]) >= 1
        assert len(first.result()) == 4
    assert served.run("chat", {"message": "now"})[0]["output"]["reply"] == "now"


def test_an_answer_that_takes_too_long_fails_by_itself(serve: Serve) -> None:
    served = serve(Batches(seconds=1), seconds=0.2)
    [one] = served.run("chat", {"message": "slow"})
    assert one["error"] == {"type": "timeout", "message": "No answer within 0.2 s.", "retryable": True}
    assert served.idle()


class Breaking(Backend):
    """Its session breaks down once."""

    capabilities = frozenset({Capability.CHAT})
    broken = False

    def complete(self, requests: Sequence[Request]) -> Sequence[Answer]:
        return [Completion("whole again")] * len(requests)

    def open(self) -> Any:
        if not self.broken:
            self.broken = True
            raise RuntimeError("secret words")
        return super().open()


def test_a_session_that_breaks_fails_its_samples_and_the_next_are_answered(serve: Serve) -> None:
    served = serve(Breaking())
    [one] = served.run("chat", {"message": "first"})
    assert one["error"]["type"] == "backend"
    assert served.run("chat", {"message": "second"})[0]["output"]["reply"] == "whole again"


def test_what_is_running_is_finished_at_the_end(serve: Serve) -> None:
    with ThreadPoolExecutor(1) as clients:
        with serving(Batches(seconds=0.5)) as served:
            running = clients.submit(_post, served)
            while not served.service.desk.under_way:
                time.sleep(0.01)
        assert running.result().json()["results"][0]["output"]["reply"] == "until the end"


def _post(served: Served) -> httpx.Response:
    return httpx.post(f"{served.url}/v1/tasks/chat", json={"input": {"message": "until the end"}}, timeout=30)


def test_counts_tell_tasks_and_no_text(serve: Serve) -> None:
    served = serve(Batches())
    served.run("chat", [{"message": "unheard-of"}, {"message": "forbidden"}])
    text = served.http.get("/metrics").text
    assert 'nlptasks_samples_total{outcome="done",task="chat"} 1.0' in text
    assert 'nlptasks_samples_total{outcome="failed",task="chat"} 1.0' in text
    assert "nlptasks_samples_under_way 0.0" in text
    assert "unheard" not in text


class Threads(Batches):
    """Keeps the names of the threads that it is called in."""

    def __init__(self, refuses: bool = False) -> None:
        super().__init__()
        self.names: set[str] = set()
        self._refuses = refuses

    def __enter__(self) -> Self:
        self.names.add(threading.current_thread().name)
        if self._refuses:
            raise BackendError("There is no model here.")
        return self

    def complete(self, requests: Sequence[Request]) -> Sequence[Answer]:
        self.names.add(threading.current_thread().name)
        return super().complete(requests)

    def close(self) -> None:
        self.names.add(threading.current_thread().name)


def test_one_thread_does_all_that_a_backend_does_and_ends() -> None:
    backend = Threads()
    with serving(backend) as served:
        served.run("chat", {"message": "Hi"})
    assert backend.names == {"nlptasks-desk"}
    assert not [one for one in threading.enumerate() if one.name == "nlptasks-desk" and one.is_alive()]


def test_a_model_that_does_not_load_is_said_before_anything_is_served() -> None:
    with pytest.raises(BackendError, match="no model here"), Desk(Threads(refuses=True), 1):
        pass
