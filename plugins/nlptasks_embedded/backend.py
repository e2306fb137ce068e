"""The backend: each request to the summarizer or the reader, by its task."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from importlib.metadata import version

from nlptasks import Backend, Capability, Completion, Failure, GenerationConfig, Request, UnknownNameError
from nlptasks.backends.base import warn_once
from nlptasks.selection import Document, Shape, summarize
from nlptasks_embedded.reader import Reading, read
from nlptasks_embedded.summarizer import scores

_TRY = {
    "translation": "hf/Helsinki-NLP/opus-mt-en-de",
    "visual-question-answering": "hf/HuggingFaceTB/SmolVLM-256M-Instruct",
}
_TRY_OTHERWISE = "hf/Qwen/Qwen3-0.6B"


class Embedded(Backend):
    """Answers with sentences of the text it is given: it finds, it does not write. In a chat its guide answers."""

    batch_size = 16
    tasks = frozenset({"summarization", "question-answering", "chat"})
    capabilities = frozenset({Capability.CHAT})

    def complete(self, requests: Sequence[Request]) -> Sequence[Completion | Failure]:
        return [_answer(request) for request in requests]

    def identity(self) -> Mapping[str, str]:
        return {"backend": "embedded", "version": version("nlptasks")}

    def refusal(self, task: str) -> str | None:
        return None if task in self.tasks else f"The embedded model does no {task}: {_instead(task)}."


def load(model: str) -> Embedded:
    """Return the backend; there is only one, so that ``model`` is empty.

    Raises:
        UnknownNameError: ``model`` names another.
    """
    if model:
        raise UnknownNameError("embedded model", model, [], "There is but one: --model embedded")
    return Embedded()


def _answer(request: Request) -> Completion | Failure:
    started = time.perf_counter()
    if request.task not in _DO:
        return _unsupported(request, request.task or "chat")
    for what, given in (("images", request.images), ("JSON schema", request.schema), ("scoring", request.continuation)):
        if given is not None and given != ():
            return _unsupported(request, what)
    needed, do = _DO[request.task]
    if missing := [name for name in needed if not request.fields.get(name, "").strip()]:
        return Failure("bad_request", f"The embedded model needs a {missing[0]}, and it is empty.")
    answer = do(request)
    return answer if isinstance(answer, Failure) else replace(answer, latency=time.perf_counter() - started)


def _summary(request: Request) -> Completion:
    fields = request.fields
    document = Document.read(fields["text"], fields.get("query", ""))
    shape = Shape.of(fields, request.config.max_new_tokens)
    summary = summarize(document, shape, scores)
    wanted = fields.get("lang", "")
    translated = wanted and wanted.partition("-")[0] != document.language
    return Completion(summary, data=_ignored(request, ["language"] if translated else [], but="max_new_tokens"))


def _reading(request: Request) -> Completion:
    context = request.fields["context"]
    found = read(request.fields["question"], context)
    nothing = Reading(0, 0, 1 - found.score)
    must = request.fields.get("allow_no_answer") == "false"
    best = found if must or found.score > nothing.score else nothing
    data = {**asdict(best), "no_answer_score": nothing.score, **_ignored(request)}
    return Completion(context[best.start : best.end], data=data)


def _chat(request: Request) -> Completion | Failure:
    from nlptasks_embedded.guide.conversation import respond

    if not (request.messages and request.messages[-1].content.strip()):
        return Failure("bad_request", "The embedded model needs a message, and it is empty.")
    answer = respond(request.messages, _answer)
    return answer if isinstance(answer, Failure) else replace(answer, data={**answer.data, **_ignored(request)})


_DO: Mapping[str, tuple[Sequence[str], Callable[[Request], Completion | Failure]]] = {
    "summarization": (("text",), _summary),
    "question-answering": (("question", "context"), _reading),
    "chat": ((), _chat),
}


def _ignored(request: Request, names: Iterable[str] = (), but: str = "") -> dict[str, list[str]]:
    """Warn of the options that change nothing here, and return them as a completion's data."""
    default = GenerationConfig()
    changed = (f.name for f in fields(default) if getattr(request.config, f.name) != getattr(default, f.name))
    ignored = sorted({*names, *changed} - {but})
    if ignored:
        warn_once(f"The embedded model picks sentences from the text and writes none: {', '.join(ignored)} ignored.")
    return {"ignored": ignored} if ignored else {}


def _unsupported(request: Request, what: str) -> Failure:
    return Failure("unsupported", f"The embedded model does no {what}: {_instead(request.task)}.")


def _instead(task: str) -> str:
    model = _TRY.get(task, _TRY_OTHERWISE)
    return f"say --model {model}, --model openai/gpt-4o-mini, or --model hf/FOLDER for a model on this machine"
