"""``/v1/chat/completions``: the chat task as OpenAI's clients ask for it."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic import ValidationError

from nlptasks.data import one_line
from nlptasks.engine import Engine
from nlptasks.job import task_options
from nlptasks.records import Delta, Failure, Record, Sample, total
from nlptasks.server import schema
from nlptasks.server.asking import Event, Question
from nlptasks.server.body import PlainJSON, read_object
from nlptasks.server.conversation import Asked
from nlptasks.server.errors import RefusedError, error, failed
from nlptasks.server.service import Offer, Service
from nlptasks.server.tasks import event, streaming

CHAT = "chat"
UNSUPPORTED = ("tools", "functions", "logprobs", "logit_bias", "frequency_penalty", "presence_penalty", "audio")
"""What would change the answer, and is not offered; empty or zero it changes nothing."""


def add_routes(app: FastAPI, service: Service) -> None:
    """Add the route, and the list of models that its clients ask for."""

    @app.get("/v1/models", summary="List the model", responses=schema.ERRORS)
    async def models() -> dict[str, Any]:
        model = {"id": service.model, "object": "model", "created": 0, "owned_by": "nlptasks"}
        return {"object": "list", "data": [model]}

    @app.post(
        "/v1/chat/completions",
        summary="Reply to a conversation, in the shape of OpenAI's API",
        response_model=None,
        responses={**schema.ERRORS, 404: {**schema.ERRORS[400], "description": "there is no such model"}},
        openapi_extra={schema.BODY: schema.CHAT},
    )
    async def completions(request: Request) -> Response:
        offer = service.offers.get(CHAT)
        if offer is None:
            raise RefusedError(422, "There is no chat task here.")
        asked = _read(await read_object(request, service.bounds.body))
        if asked.model != service.model:
            raise RefusedError(404, f"There is no model {asked.model!r} here, only {service.model!r}.")
        question = _question(service, offer, asked)
        if asked.stream:
            return streaming(_chunks(Reply(asked.model), asked, question, question.events(stream=True)))
        [record] = await question.records(request)
        if isinstance(record.result, Failure):
            return failed(record.result, service.tell(record.result))
        return PlainJSON(Reply(asked.model).whole(record))


def _read(body: Mapping[str, Any]) -> Asked:
    for name in UNSUPPORTED:
        if body.get(name):
            raise RefusedError(400, f"{name} is not offered here.")
    try:
        return Asked.model_validate(body)
    except (ValidationError, RecursionError) as problem:
        said = one_line(problem) if isinstance(problem, ValidationError) else "nested too deeply"
        raise RefusedError(400, f"The body does not fit: {said}") from None


def _question(service: Service, offer: Offer, asked: Asked) -> Question:
    engine = Engine(offer.task, task_options(offer.task, asked.options()), service.backend)
    try:
        said = offer.task.Input.model_validate({"messages": [turn.as_input() for turn in asked.messages]})
    except ValidationError as problem:
        raise RefusedError(400, f"messages: {one_line(problem)}") from None
    return Question(service, CHAT, engine, [Sample("0", said)])


class Reply:
    """One answer in OpenAI's shape."""

    def __init__(self, model: str) -> None:
        self._head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": model}

    def whole(self, record: Record) -> dict[str, Any]:
        """Return the answer."""
        result = record.result
        message = {"role": "assistant", "content": result.reply, "refusal": None}
        if result.reasoning:
            message["reasoning_content"] = result.reasoning
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": result.finish_reason}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": _usage(record)}

    def chunk(self, delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
        """Return a piece of the answer."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**self._head, "object": "chat.completion.chunk", "choices": [choice]}

    def used(self, record: Record) -> dict[str, Any]:
        """Return the piece that tells the tokens."""
        return {**self._head, "object": "chat.completion.chunk", "choices": [], "usage": _usage(record)}


def _usage(record: Record) -> dict[str, int]:
    used = total(record.completions)
    return {**asdict(used), "total_tokens": used.prompt_tokens + used.completion_tokens}


async def _chunks(
    reply: Reply, asked: Asked, question: Question, arriving: AsyncGenerator[Event, None]
) -> AsyncIterator[str]:
    async with aclosing(arriving) as events:
        yield event(reply.chunk({"role": "assistant", "content": ""}))
        async for _, what in events:
            if isinstance(what, Delta):
                pieces = {"content": what.text, "reasoning_content": what.reasoning}
                yield event(reply.chunk({name: text for name, text in pieces.items() if text}))
            elif isinstance(what.result, Failure):
                yield event(error(question.service.tell(what.result), what.result.type))
            else:
                yield event(reply.chunk({}, what.result.finish_reason))
                if asked.stream_options and asked.stream_options.include_usage:
                    yield event(reply.used(what))
    yield event("[DONE]")
