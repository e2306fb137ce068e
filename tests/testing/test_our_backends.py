"""The backends that come with nlptasks pass the contract that a stranger's must."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from nlptasks.backends.base import Backend
from nlptasks.backends.factory import BackendFactory, wrapped
from nlptasks.records import GenerationConfig, Message, Request
from nlptasks.testing import BackendContract
from nlptasks.testing.servers import FaultServer

Tiny = Callable[[str], Path]
HARBOUR = (
    "Die Fähre fährt seit 1842 über den Hafen. Sie ist grün. Im Winter fährt sie nicht. Das Ticket kostet zwei Euro."
)


def asked(task: str, **fields: str) -> Request:
    return Request((Message("user", " ".join(fields.values())),), task, fields, GenerationConfig(max_new_tokens=12))


TRANSLATIONS = [
    asked("translation", text=text, source_lang="en", target_lang="de")
    for text in ("Good morning.", "The ferry crosses the harbour.", "你好")
]
QUESTIONS = [
    asked("question-answering", question=question, context=HARBOUR)
    for question in ("Seit wann fährt die Fähre?", "Was kostet das Ticket?", "Wie ist sie?")
]
SUMMARIES = [asked("summarization", text=text) for text in (HARBOUR, "The ferry is new. It is green. It is quick.")]


class TestEcho(BackendContract):
    name = "echo"


class TestEmbeddedGuide(BackendContract):
    name = "embedded"


class TestEmbeddedSummarizer(BackendContract):
    name = "embedded"
    requests = SUMMARIES


class TestEmbeddedReader(BackendContract):
    name = "embedded"
    requests = QUESTIONS


class TestOpenAI(BackendContract):
    name = "openai"

    @pytest.fixture
    def factory(self, fault_server: Callable[..., FaultServer]) -> BackendFactory:
        return BackendFactory("openai/tiny", {"base_url": fault_server().base_url, "max_retries": 0})


class Local(BackendContract):
    """A local model of some family."""

    name = "hf"
    family: ClassVar[str]
    settings: ClassVar[dict[str, Any]] = {}

    @pytest.fixture
    def factory(self, tiny_model: Tiny) -> BackendFactory:
        return BackendFactory(f"hf/{tiny_model(self.family)}", self.settings)


class TestLlama(Local):
    family = "llama"


class TestQwen3(Local):
    family = "qwen3"
    settings: ClassVar = {"thinking": True}


class TestGPT2(Local):
    family = "gpt2"
    requests = [asked("text-generation", text=text) for text in ("The letter", "Der Hafen", "港口")]


class TestMarian(Local):
    family = "marian"
    requests = TRANSLATIONS


class TestNllb(Local):
    family = "nllb"
    requests = TRANSLATIONS


class TestT5(Local):
    family = "t5"
    requests = SUMMARIES


class TestReader(Local):
    family = "bert-qa"
    requests = QUESTIONS


class TestSelector(Local):
    family = "selector"
    requests = SUMMARIES


class TestLlava(Local):
    family = "llava"


class TestQwen2VL(Local):
    family = "qwen2-vl"


class TestOpenAIWithAModel(BackendContract):
    """A model behind a real server."""

    name = "openai"

    @pytest.fixture
    def factory(self, tiny_model: Tiny, transformers_serve: str, monkeypatch: pytest.MonkeyPatch) -> BackendFactory:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        return BackendFactory(f"openai/{tiny_model('llama')}", {"base_url": transformers_serve, "max_retries": 0})


class InWrappers(BackendFactory):
    """Builds a backend as it is used: with cache and deduplication around it."""

    def bare(self) -> Backend:
        return wrapped(super().bare(), self.cache)


class TestWrapped(BackendContract):
    name = "embedded"
    requests = QUESTIONS

    @pytest.fixture
    def factory(self, tmp_path: Path) -> BackendFactory:
        return InWrappers("embedded", {}, tmp_path / "cache.db")
