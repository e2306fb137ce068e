"""The backend: each request to the part that does its task."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from nlptasks import Backend, Capability, Failure, Request
from nlptasks.backends.base import Answer
from nlptasks_embedded.answers import answers
from nlptasks_embedded.ignored import ignored
from nlptasks_embedded.parts import WEIGHTS, Parts
from nlptasks_embedded.summarizer import summary
from nlptasks_embedded.translator import Pair, translations

_TRY = {
    "translation": "hf/facebook/m2m100_418M",
    "visual-question-answering": "hf/HuggingFaceTB/SmolVLM-256M-Instruct",
}
_TRY_OTHERWISE = "hf/Qwen/Qwen3-0.6B"
ALWAYS = ("summarization", "question-answering", "chat")
"""What is done in some way by any parts, or none."""
_NEEDED: Mapping[str, Sequence[str]] = {
    "summarization": ("text",),
    "question-answering": ("question", "context"),
    "translation": ("text", "target_lang"),
}


class Embedded(Backend):
    """Small models of one task each: it finds sentences and answers in a text, translates, and guides in a chat."""

    batch_size = 16
    capabilities = frozenset({Capability.CHAT})

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.tasks: frozenset[str] = frozenset({*ALWAYS, *parts.known})
        self._do: Mapping[str, Callable[[Sequence[Request]], Iterable[Answer]]] = {
            "summarization": lambda requests: [summary(request, parts) for request in requests],
            "question-answering": lambda requests: answers(requests, parts),
            "translation": lambda requests: translations(requests, parts),
            "chat": lambda requests: [self._chat(request) for request in requests],
        }

    def close(self) -> None:
        self._parts.close()

    def complete(self, requests: Sequence[Request]) -> Sequence[Answer]:
        done: dict[int, Answer] = {}
        todo: dict[str, list[int]] = {}
        for number, request in enumerate(requests):
            if failure := self._refused(request):
                done[number] = failure
            else:
                todo.setdefault(request.task or "chat", []).append(number)
        for task, numbers in todo.items():
            started = time.perf_counter()
            found = list(self._do[task]([requests[number] for number in numbers]))
            seconds = time.perf_counter() - started
            done |= {n: _timed(answer, seconds) for n, answer in zip(numbers, found, strict=True)}
        return [done[number] for number in range(len(requests))]

    def identity(self) -> Mapping[str, str]:
        return {"backend": "embedded", "version": version("nlptasks"), "weights": self._parts.identity}

    def refusal(self, task: str) -> str | None:
        return None if task in self.tasks else f"The embedded model does no {task}: {_instead(task)}."

    @classmethod
    def about(cls) -> Mapping[str, str]:
        return {part.task: part.facts for part in Parts().known.values()}

    def _refused(self, request: Request) -> Failure | None:
        task = request.task or "chat"
        if task not in self.tasks:
            return _unsupported(request, task)
        asked = {"images": request.images, "JSON schema": request.schema, "scoring": request.continuation}
        for what, given in asked.items():
            if given is not None and given != ():
                return _unsupported(request, what)
        if missing := [name for name in _NEEDED.get(task, ()) if not request.fields.get(name, "").strip()]:
            return Failure("bad_request", f"The embedded model needs a {missing[0]}, and it is empty.")
        if task == "translation" and not self._parts.speaks(task, str(pair := Pair.of(request))):
            return _unsupported(request, f"translation from {pair.source} to {pair.target}")
        return None

    def _chat(self, request: Request) -> Answer:
        from nlptasks_embedded.guide.conversation import respond

        if not (request.messages and request.messages[-1].content.strip()):
            return Failure("bad_request", "The embedded model needs a message, and it is empty.")
        answer = respond(request.messages, lambda asked: self.complete([asked])[0])
        return answer if isinstance(answer, Failure) else replace(answer, data={**answer.data, **ignored(request)})


def load(model: str) -> Embedded:
    """Return the backend with the parts of this package, or with those in the folder ``model``.

    Raises:
        ModelError: there are none.
    """
    parts = Parts(Path(model) if model else WEIGHTS)
    _ = parts.known
    return Embedded(parts)


def _timed(answer: Answer, seconds: float) -> Answer:
    return answer if isinstance(answer, Failure) or answer.latency else replace(answer, latency=seconds)


def _unsupported(request: Request, what: str) -> Failure:
    return Failure("unsupported", f"The embedded model does no {what}: {_instead(request.task)}.")


def _instead(task: str) -> str:
    model = _TRY.get(task, _TRY_OTHERWISE)
    return f"say --model {model}, --model openai/gpt-4o-mini, or --model hf/FOLDER for a model on this machine"
