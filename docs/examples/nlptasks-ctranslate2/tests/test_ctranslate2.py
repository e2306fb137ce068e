"""Tiny real models of three families: held to the contract, and to what they say in transformers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nlptasks import Backend, Failure, GenerationConfig, Message, ModelError, Request
from nlptasks.backends.factory import BackendFactory
from nlptasks.testing import BackendContract

Tiny = Callable[[str], Path]
TEXTS = ["Good morning to you", "The weather is fine today, and so we walk to the harbour.", "今天天气很好。"]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Convert into a folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def asked(text: str, task: str = "", tokens: int = 12) -> Request:
    fields = {"text": text, "source_lang": "en", "target_lang": "de"}
    return Request((Message("user", text),), task, fields, GenerationConfig(max_new_tokens=tokens))


class TestLlama(BackendContract):
    """A model that chats."""

    name = "ctranslate2"
    family = "llama"

    @pytest.fixture
    def factory(self, tiny_model: Tiny) -> BackendFactory:
        return BackendFactory(f"ctranslate2/{tiny_model(self.family)}", {"device": "cpu"})


class TestMarian(TestLlama):
    """A model that translates."""

    family = "marian"
    requests = tuple(asked(text, "translation") for text in TEXTS)


class TestT5(TestMarian):
    """A model that is told by a prefix what to do."""

    family = "t5"


@pytest.fixture
def build(tiny_model: Tiny) -> Callable[..., Backend]:
    return lambda family, provider="ctranslate2", **options: BackendFactory(
        f"{provider}/{tiny_model(family)}", {"device": "cpu", **options}
    ).bare()


@pytest.mark.parametrize(
    ("family", "task"),
    [("llama", ""), ("qwen3", ""), ("marian", "translation"), ("t5", "translation"), ("t5", "summarization")],
)
def test_with_all_bits_it_says_what_transformers_says(family: str, task: str, build: Callable[..., Backend]) -> None:
    forced = family == "marian"  # transformers ends a Marian's answer by a token of its own
    same = build(family, "hf").complete([asked(text, task, 12 + forced) for text in TEXTS])
    answers = build(family, compute_type="float32").complete([asked(text, task) for text in TEXTS])
    assert [one.text for one in answers] == [one.text for one in same]
    assert [one.usage.prompt_tokens for one in answers] == [one.usage.prompt_tokens for one in same]
    assert {one.finish_reason for one in answers} == {"length"}


def test_a_model_is_converted_once(build: Callable[..., Backend], monkeypatch: pytest.MonkeyPatch) -> None:
    from ctranslate2.converters import TransformersConverter

    [first] = build("t5").complete([asked("Good morning")])
    monkeypatch.setattr(TransformersConverter, "convert", None)
    assert build("t5").complete([asked("Good morning")]) == [first]
    with pytest.raises(ModelError, match="cannot convert"):
        build("t5", compute_type="float32").complete([asked("Good morning")])


def test_settings_are_kept_to(build: Callable[..., Backend]) -> None:
    backend = build("llama")

    def answer(**settings: Any) -> Any:
        [one] = backend.complete([Request(asked(TEXTS[0]).messages, config=GenerationConfig(12, **settings))])
        return one

    greedy = answer()
    stop = greedy.text[3:5]
    cut = answer(stop=(stop,))
    assert (cut.text, cut.finish_reason) == (greedy.text[: greedy.text.index(stop)], "stop")
    assert len({answer(temperature=5.0).text for _ in range(5)}) > 1
    assert answer(temperature=1.0, seed=3).data == {"ignored": ["seed"]}
    assert answer(extra={"suppress_sequences": []}) == greedy
    assert "no_such_option" in answer(extra={"no_such_option": 1}).message


def test_what_it_cannot_do_is_a_failure_or_refused(build: Callable[..., Backend]) -> None:
    long, schema = asked("a " * 9000), Request((Message("user", "x"),), schema={"type": "object"})
    answers = build("llama").complete([long, schema, asked("x")])
    assert [isinstance(one, Failure) for one in answers] == [True, True, False]
    assert "shorten it" in answers[0].message
    assert "use hf/" in answers[1].message
    assert "translation only" in (build("marian").refusal("chat") or "")
    assert "use hf/" in (build("nllb").refusal("translation") or "")
    [alone] = build("t5").complete([Request(asked("x").messages, "translation", {"text": "x"})])
    assert "both languages" in alone.message
    with pytest.raises(ModelError, match="cannot be loaded"):
        BackendFactory("ctranslate2/no/such/model").bare()
    with pytest.raises(ModelError, match="Name a model"):
        BackendFactory("ctranslate2").bare()
