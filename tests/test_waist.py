"""The narrow waist: every task through every kind of backend, with the same words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import nlptasks
from nlptasks import Completion, Message, Record
from nlptasks.plugin import registry
from tests.conftest import Tiny

EXAMPLE = (Path(__file__).parents[1] / "docs" / "examples" / "harbour.en.txt").read_text("utf-8")[:300]
SAMPLES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "summarization": ({"document": EXAMPLE}, {"length": "short"}),
    "translation": ({"source": "Good weather today.", "from": "en", "to": "de"}, {}),
    "question-answering": ({"question": "Where is the harbour?", "context": EXAMPLE}, {}),
    "chat": ({"message": "Hello"}, {}),
    "text-generation": ({"prompt": "今天天气很好"}, {}),
}
CHAT_FAMILIES = ("llama", "qwen3", "gpt2", "t5")
SUITABLE = {
    "summarization": ("embedded", *CHAT_FAMILIES, "serve"),
    "translation": (*CHAT_FAMILIES, "marian", "nllb", "serve"),
    "question-answering": ("embedded", *CHAT_FAMILIES, "bert-qa", "serve"),
    "chat": ("embedded", *CHAT_FAMILIES, "serve"),
    "text-generation": (*CHAT_FAMILIES, "serve"),
}
CASES = [(task, kind) for task, kinds in SUITABLE.items() for kind in kinds]


def run(task: str, kind: str, tiny: Tiny, request: pytest.FixtureRequest) -> Record:
    values, options = SAMPLES[task]
    settings: dict[str, Any] = {**options, "max_new_tokens": 8}
    if kind == "serve":
        settings["base_url"] = request.getfixturevalue("transformers_serve")
    names = {"echo": "echo", "embedded": "embedded", "serve": f"openai/{tiny('llama')}"}
    with nlptasks.task(task, model=names.get(kind) or f"hf/{tiny(kind)}", **settings) as runner:
        [record] = runner.records([values])
    return record


@pytest.fixture(scope="session")
def spoken() -> dict[str, tuple[Message, ...]]:
    """The messages each task puts to the echo backend."""
    return {}


@pytest.mark.parametrize(("task", "kind"), CASES, ids=lambda value: value)
def test_every_task_is_answered_and_asks_the_same(
    task: str, kind: str, tiny: Tiny, request: pytest.FixtureRequest, spoken: dict[str, tuple[Message, ...]]
) -> None:
    if task not in spoken:
        echoed = run(task, "echo", tiny, request)
        assert not echoed.failed, echoed.result
        spoken[task] = echoed.exchanges[0][0].messages
    record = run(task, kind, tiny, request)
    assert not record.failed, record.result
    assert isinstance(record.result, registry().load("task", task).Output)
    [(asked, answer)] = record.exchanges
    assert asked.messages == spoken[task]
    assert isinstance(answer, Completion)


@pytest.mark.parametrize(
    ("task", "kind"),
    [("summarization", "marian"), ("chat", "bert-qa"), ("text-generation", "embedded")],
)
def test_what_a_backend_cannot_do_is_refused_before_weights_load(
    task: str, kind: str, tiny: Tiny, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    import safetensors

    monkeypatch.setattr(safetensors, "safe_open", None)
    with pytest.raises(nlptasks.UnsupportedError, match=r"--model|choose"):
        run(task, kind, tiny, request)


def test_a_question_about_a_picture(tiny: Tiny) -> None:
    import io

    from PIL import Image

    data = io.BytesIO()
    Image.new("RGB", (32, 32), "red").save(data, "png")
    with nlptasks.task("visual-question-answering", model=f"hf/{tiny('qwen2-vl')}", max_new_tokens=4) as ask:
        [record] = ask.records([{"question": "Which colour?", "images": [data.getvalue()]}])
    assert not record.failed, record.result


def test_the_first_example_of_all(tiny: Tiny, cli: Any) -> None:
    """A GPT-2-shaped model goes on from 今天天气很好."""
    done = cli("run", "text-generation", "今天天气很好", "--model", f"hf/{tiny('gpt2')}", "--max-new-tokens", "12")
    assert done.code == 0, done.err
    assert done.out.strip()
    assert done.err == ""
