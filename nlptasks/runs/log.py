"""``samples.jsonl``: what is kept of each sample."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Literal

from nlptasks.data import dump_line
from nlptasks.records import Completion, Failure, Record, Request, total
from nlptasks.tasks import text_of

LogContent = Literal["full", "hash", "none"]
Redact = Callable[[Any], Any]


def sample_line(record: Record, content: LogContent, redact: Redact) -> dict[str, Any]:
    """Return the line of samples.jsonl for a record."""
    completions = record.completions
    used = total(completions)
    line: dict[str, Any] = {
        "failed": record.failed,
        "truncated": any(completion.finish_reason == "length" for completion in completions),
        "empty": not record.failed and not text_of(record.result).strip(),
        "cached": bool(completions) and all(completion.cached for completion in completions),
        "prompt_tokens": used.prompt_tokens,
        "completion_tokens": used.completion_tokens,
        "seconds": round(record.seconds, 6),
    }
    try:
        line |= redact(_content(record, content, redact))
    except Exception as error:  # fail closed: without the guard nothing of the text is kept
        line["error"] = {"type": "guard", "message": f"content withheld: {type(error).__name__}"}
    return line


def _content(record: Record, content: LogContent, redact: Redact) -> dict[str, Any]:
    texts = {
        "prediction": None if record.failed else record.result.model_dump(mode="json"),
        "exchanges": [_exchange(request, answer) for request, answer in record.exchanges],
    }
    if content == "none":
        return {"error": {"type": record.result.type}} if isinstance(record.result, Failure) else {}
    if content == "hash":
        known = {"id": record.sample.id, **texts, "error": record.result if record.failed else None}
        return {"sha256": {name: hashlib.sha256(dump_line(value)).hexdigest() for name, value in redact(known).items()}}
    references = None if record.sample.references is None else list(record.sample.references)
    error = {"error": record.result} if record.failed else {}
    return {"id": record.sample.id, **texts, "references": references, **error}


def _exchange(request: Request, answer: Completion | Failure) -> dict[str, Any]:
    messages = [{"role": message.role, "content": message.content} for message in request.messages]
    return {"messages": messages, "answer": answer}
