"""What backends are asked: what any can answer, and what few can."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from nlptasks.backends.base import Backend, Capability
from nlptasks.records import GenerationConfig, Message, Request

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
"""The smallest picture: one red dot, as a PNG."""


def chat(text: str) -> Request:
    """Return a short chat request."""
    return Request((Message("user", text),), "chat", {"text": text}, GenerationConfig(max_new_tokens=16))


def odd_requests(good: Request, backend: Backend) -> Mapping[str, Request]:
    """Return requests that a backend may well be asked and few can answer."""
    context, able = backend.limits().context, backend.capabilities
    picture = (Message("user", "What is this?", (PIXEL,)),)
    odd = {
        "a request without a message": replace(good, messages=()),
        "a request without a text": worded(good, lambda text: ""),
        "half a character": worded(good, lambda text: text + "\ud83d"),
        "a NUL": worded(good, lambda text: f"\0{text}"),
    }
    if context:
        odd["a request longer than its context"] = worded(good, lambda text: f"{text} " * context)
    if Capability.VISION not in able:
        odd["a picture"] = replace(good, messages=picture)
    if Capability.SCHEMA not in able:
        odd["a JSON schema"] = replace(good, schema={"type": "object"})
    if Capability.LOGLIKELIHOOD not in able:
        odd["a text to score"] = replace(good, continuation="a ferry")
    return odd


def worded(request: Request, change: Callable[[str], str]) -> Request:
    """Return the request with its texts changed; the codes of languages stay."""
    fields = {name: value if name.endswith("lang") else change(value) for name, value in request.fields.items()}
    return replace(request.map_text(change), fields=fields)
