"""Answers to questions: spans found by the trained part in its languages, elsewhere the sentence that tells most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from nlptasks import Completion, Failure, Request
from nlptasks.text import detect_language
from nlptasks_embedded.ignored import ignored
from nlptasks_embedded.parts import Parts
from nlptasks_embedded.reader import Reading, read

TASK = "question-answering"


def answers(requests: Sequence[Request], parts: Parts) -> list[Completion | Failure]:
    """Return the answer to each request, "" where its context has none."""
    trained = [number for number, request in enumerate(requests) if _is_trained(request, parts)]
    found: dict[int, Completion | Failure] = {}
    if trained:
        spans = parts.model(TASK).complete([requests[number] for number in trained])
        found.update(zip(trained, spans, strict=True))
    return [found[number] if number in found else _sentence(request) for number, request in enumerate(requests)]


def _is_trained(request: Request, parts: Parts) -> bool:
    return parts.speaks(TASK, detect_language(request.fields["context"]))


def _sentence(request: Request) -> Completion:
    context = request.fields["context"]
    found = read(request.fields["question"], context)
    nothing = Reading(0, 0, 1 - found.score)
    must = request.fields.get("allow_no_answer") == "false"
    best = found if must or found.score > nothing.score else nothing
    data = {**asdict(best), "no_answer_score": nothing.score, **ignored(request)}
    return Completion(context[best.start : best.end], data=data)
