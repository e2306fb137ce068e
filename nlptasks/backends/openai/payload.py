"""A request as the body of ``POST /chat/completions``."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Set
from typing import Any

from nlptasks.backends.openai.trouble import Complaint, Trouble
from nlptasks.records import Message, Request

_DROPPED = frozenset({"temperature", "top_p", "seed", "stop"})
"""Parameters that are left out once a server has said that it does not take them."""

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF8", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
)


def build(request: Request, model: str, stream: bool) -> dict[str, Any]:
    """Return the body that asks all of ``request``. Raises ``Trouble`` for what no such server can do."""
    if request.continuation is not None:
        # Scoring needs the prompt as the model sees it; only the server knows its chat template.
        message = "An OpenAI-compatible server cannot score a given text after a chat: use an hf/ model."
        raise Trouble("unsupported", message)
    config = request.config
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(message) for message in request.messages],
        "temperature": config.temperature,
    }
    if config.top_p != 1.0:
        body["top_p"] = config.top_p
    if config.max_new_tokens is not None:
        body["max_tokens"] = config.max_new_tokens
    if config.stop:
        body["stop"] = list(config.stop)
    if config.seed is not None:
        body["seed"] = config.seed
    if request.schema is not None:
        form = {"name": "answer", "schema": request.schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    body.update(config.extra)
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def fit(body: Mapping[str, Any], lacks: Set[str]) -> dict[str, Any]:
    """Return ``body`` for a server that ``lacks`` some parameters."""
    fitted = {name: value for name, value in body.items() if name not in lacks}
    if "max_tokens" in body and "max_tokens" in lacks:
        fitted["max_completion_tokens"] = body["max_tokens"]
    return fitted


def encode(body: dict[str, Any]) -> bytes:
    """Return ``body`` as JSON; a lone surrogate, which UTF-8 cannot carry, becomes a question mark."""
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    except (TypeError, ValueError):
        message = "The schema or extra options hold a value that JSON cannot carry: use text, numbers, lists, objects."
        raise Trouble("bad_request", message) from None


def unsupported(body: dict[str, Any], complaint: Complaint) -> str | None:
    """Return the parameter in ``body`` that the server says it does not take, None if it means something else."""
    if "max_tokens" in body and "max_completion_tokens" in complaint.message:
        return "max_tokens"
    if "stream_options" in body and "stream_options" in complaint.message:
        return "stream_options"
    if complaint.code in ("unsupported_parameter", "unsupported_value") and complaint.param in _DROPPED & body.keys():
        return complaint.param
    return None


def ignored(request: Request, body: Mapping[str, Any], lacks: Set[str]) -> list[str]:
    """Return the names of the options in ``request`` that the server could not be told."""
    beams = {"num_beams"} if request.config.num_beams > 1 else set()
    return sorted((_DROPPED & lacks & body.keys()) | beams)


def _message(message: Message) -> dict[str, Any]:
    if not message.images:
        return {"role": message.role, "content": message.content}
    parts: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": _uri(image)}} for image in message.images]
    return {"role": message.role, "content": [*parts, {"type": "text", "text": message.content}]}


def _uri(image: bytes) -> str:
    for signature, at, kind in _SIGNATURES:
        if image.startswith(signature, at):
            return f"data:{kind};base64,{base64.b64encode(image).decode('ascii')}"
    raise Trouble("bad_request", "An image is no PNG, JPEG, GIF or WebP: convert it to one of these.")
