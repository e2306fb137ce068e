"""A backend that repeats what it is given: deterministic, instant, without a model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from nlptasks.backends.base import Answer, Backend, Capability
from nlptasks.records import Completion, Delta, Request, Usage


class Echo(Backend):
    """Answers with the request's ``text`` field, else its last message. Generation settings change nothing."""

    batch_size = 64
    capabilities = frozenset({Capability.CHAT, Capability.VISION})

    def complete(self, requests: Sequence[Request]) -> Sequence[Answer]:
        return [_answer(request) for request in requests]

    def stream(self, request: Request) -> Iterator[Delta | Answer]:
        completion = _answer(request)
        for piece in re.findall(r"\s*\S+|\s+$", completion.text):
            yield Delta(piece)
        yield completion


def load(model: str) -> Echo:
    """Return the backend; ``model`` changes nothing."""
    return Echo()


def _answer(request: Request) -> Completion:
    text = request.fields.get("text")
    if text is None:
        text = request.messages[-1].content if request.messages else ""
    read = sum(len(message.content) for message in request.messages)
    return Completion(text, usage=Usage(prompt_tokens=read, completion_tokens=len(text)))
