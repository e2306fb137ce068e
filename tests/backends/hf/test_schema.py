from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from nlptasks.backends.base import Capability
from nlptasks.records import Completion, Failure, Request
from tests.backends.hf.conftest import Open, ask, completion

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "farbe": {"enum": ["rot", "红", "grün"]},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "name": {"type": "string", "maxLength": 8},
    },
    "required": ["farbe", "age", "name"],
    "additionalProperties": False,
}


def fitting(text: str, **config: Any) -> Request:
    return replace(ask(text, **{"max_new_tokens": 80, **config}), schema=SCHEMA)


@pytest.mark.parametrize("family", ["llama", "qwen3", "gpt2", "llava"])
def test_every_answer_fits_the_schema(hf: Open, family: str) -> None:
    backend = hf(family)
    assert Capability.SCHEMA in backend.capabilities
    requests = [
        fitting("Hello"),
        fitting("今天天气很好"),
        fitting("Hello", temperature=1.5, seed=1),
        fitting("Hello", num_beams=3),
    ]
    for request, answer in zip(requests, backend.complete(requests), strict=True):
        assert answer.finish_reason == "stop"
        value = json.loads(answer.text)
        assert set(value) == {"farbe", "age", "name"}
        assert value["farbe"] in SCHEMA["properties"]["farbe"]["enum"]
        assert 0 <= value["age"] <= 150
        assert len(value["name"]) <= 8
        assert completion(backend, request).text == answer.text


def test_a_stream_keeps_to_the_schema(hf: Open) -> None:
    *deltas, last = hf("llama").stream(fitting("Hello"))
    assert "".join(delta.text for delta in deltas) == last.text == completion(hf("llama"), fitting("Hello")).text


def test_neighbours_may_have_no_schema_or_another(hf: Open) -> None:
    backend = hf("llama")
    free, number = ask("Hello", max_new_tokens=9), replace(ask("Hello", max_new_tokens=9), schema={"const": 42})
    answers = backend.complete([free, fitting("Hello"), number])
    assert answers[0].text == completion(backend, free).text
    assert json.loads(answers[1].text)["farbe"]
    assert answers[2].text == "42"


def test_a_schema_that_is_none_fails_alone(hf: Open) -> None:
    bad, fine = hf("llama").complete([replace(ask("Hi"), schema={"type": "nonsense"}), fitting("Hi")])
    assert bad.type == "bad_request"
    assert "nonsense" in bad.message
    assert isinstance(fine, Completion)


def test_without_the_library_the_extra_is_named(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from nlptasks.backends.hf import Options, load

    monkeypatch.setitem(sys.modules, "llguidance.hf", None)
    with load(str(tiny("llama")), Options()) as backend:
        [failure] = backend.complete([fitting("Hi")])
    assert failure == Failure("unsupported", "A JSON schema needs an extra: pip install 'nlptasks[schema]'")


def test_families_that_cannot_say_so(hf: Open) -> None:
    for family in ("t5", "bert-qa"):
        [failure] = hf(family).complete([replace(fitting("Hi"), fields={"question": "a?", "context": "a"})])
        assert isinstance(failure, Failure)
        assert failure.type == "unsupported"
