"""What models and servers say: any of it is an answer, or a failure of that one sample."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptasks import Backend, Capability, Completion, Failure, Limits, Request, Sample, Usage
from nlptasks.backends.base import Answer
from nlptasks.backends.openai.answer import Reader, ServerError, model_names
from nlptasks.backends.openai.sse import EventReader
from nlptasks.backends.openai.trouble import Trouble, retry_after
from nlptasks.engine import Engine
from nlptasks.job import load_task, task_options
from tests.abuse.damage import JSON, content, fuzzed

EVENTS = (
    'data: {"choices":[{"delta":{"content":"Hallo\u2028"}}]}\n\n: ping\n\ndata: {"choices":[{"delta":{"content":" 你"},'
    '"finish_reason":"stop"}],"usage":{"prompt_tokens":3}}\r\n\r\ndata: [DONE]\n\n'
).encode()
BODY = json.dumps(
    {
        "model": "m",
        "choices": [
            {"index": 0, "message": {"content": "<think>a</think>b", "refusal": None}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4},
    }
).encode()
INPUTS: dict[str, list[dict[str, Any]]] = {
    "summarization": [{"document": "Ein Satz. Noch einer. " * 60}, {"document": ["Eins.", "Zwei."]}],
    "translation": [{"source": "Eins.\n\n- Zwei: 3 %\n", "source_lang": "de", "target_lang": "zh"}],
    "question-answering": [{"question": "Wer ging?", "context": ["Er ging nach Köln. " * 40, "Sie blieb."]}],
    "chat": [{"message": "Hallo"}],
    "text-generation": [{"prompt": "Es war"}],
}
ANSWERS = st.text(max_size=60) | st.sampled_from(
    [
        '{"answer": "Köln", "quote": "nach Köln", "document": 1}',
        "Köln [1]",
        "<think>hm</think>Köln\n\nQuelle: [9]",
        "```json\n{}\n```",
        "Er ging nach Köln.",
        "",
        " \n",
    ]
)
FACTS = st.dictionaries(
    st.sampled_from(["start", "end", "score", "loglikelihood", "answers", "spans", "text", "no_answer_score", "model"]),
    JSON,
    max_size=4,
)


class Liar(Backend):
    """Says what it is told to, whatever is asked."""

    batch_size = 3
    capabilities = frozenset(Capability)

    def __init__(self, says: Sequence[Any], context: int | None) -> None:
        self._says, self._context, self._asked = says, context, 0

    def complete(self, requests: Sequence[Request]) -> Sequence[Answer]:
        self._asked += len(requests)
        return [self._says[(self._asked + number) % len(self._says)] for number in range(len(requests))]

    def limits(self) -> Limits:
        return Limits(self._context)


SAID: st.SearchStrategy[Any] = st.one_of(
    st.builds(
        Completion,
        text=ANSWERS,
        reasoning=st.text(max_size=4),
        finish_reason=st.sampled_from(["stop", "length", "content_filter"]),
        usage=st.builds(Usage, st.integers(-5, 10**12), st.integers(-5, 10**12)),
        data=FACTS,
    ),
    st.builds(Failure, st.text(max_size=3), st.text(max_size=8)),  # no type of our own, such as "task"
    st.sampled_from([None, "a text", 7]),
)


@pytest.mark.parametrize("name", INPUTS)
def test_what_models_answer(name: str) -> None:
    task = load_task(name)

    @fuzzed
    @given(st.lists(SAID, min_size=1, max_size=4), st.sampled_from([None, 16, 400]))
    def check(says: Sequence[Any], context: int | None) -> None:
        samples = [Sample(str(n), task.Input.model_validate(row), index=n) for n, row in enumerate(INPUTS[name])]
        for record in Engine(task, task_options(task, {}), Liar(says, context)).run(samples):
            assert isinstance(record.result, task.Output | Failure)
            if isinstance(record.result, Failure):
                assert record.result.type != "task", record.result.message

    check()


def read(raw: bytes, cuts: Sequence[int]) -> list[str]:
    """Return the events of a stream that comes in pieces."""
    reader, at = EventReader(), 0
    found: list[str] = []
    for cut in sorted(cuts):
        found += reader.feed(raw[at : max(at, cut)])
        at = max(at, cut)
    return [*found, *reader.feed(raw[at:], final=True)]


@fuzzed
@given(content(EVENTS), st.lists(st.integers(0, 200), max_size=5))
def test_streams_of_events(raw: bytes, cuts: Sequence[int]) -> None:
    events = read(raw, cuts)
    assert events == read(raw, ()), "however the bytes are cut"
    reader = Reader("http://server", "m", lambda delta: None)
    with contextlib.suppress(Trouble, ServerError):
        for event in events:
            if reader.event(event):
                break
        assert isinstance(reader.completion(), Completion)


@fuzzed
@given(content(BODY, b"<html>502</html>", b'{"error": {"message": "no"}}'))
def test_whole_answers(raw: bytes) -> None:
    reader = Reader("http://server", "m")
    with contextlib.suppress(Trouble, ServerError):
        reader.body(raw)
        assert isinstance(reader.completion(), Completion)
    assert all(isinstance(name, str) for name in model_names(raw))


@fuzzed
@given(
    st.text(max_size=30) | st.sampled_from(["-1", "1e400", "nan", "inf", "Wed, 21 Oct 2015 07:28:00 GMT", "9" * 400])
)
def test_how_long_to_wait(header: str) -> None:
    assert retry_after(header) >= 0
