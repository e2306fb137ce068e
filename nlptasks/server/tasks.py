"""``/v1/tasks``: every task by its own schema, on one sample or many."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ValidationError

from nlptasks.data import one_line
from nlptasks.engine import Engine
from nlptasks.job import task_options
from nlptasks.records import Delta, Failure, Record, Sample, total
from nlptasks.server import schema
from nlptasks.server.asking import Event, Question
from nlptasks.server.body import PlainJSON, read_object
from nlptasks.server.errors import RefusedError
from nlptasks.server.service import Offer, Service

KEYS = {"input", "options", "stream"}
EVENTS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Headers of a stream: nothing on the way may hold it back."""
Item = Mapping[str, Any]
Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


def add_routes(app: FastAPI, service: Service) -> None:
    """Add a list of the tasks, and a route for each."""

    @app.get("/v1/tasks", summary="List the tasks", responses=schema.ERRORS)
    async def tasks() -> list[dict[str, Any]]:
        return [_brief(name, offer) for name, offer in service.offers.items()]

    for name, offer in service.offers.items():
        app.add_api_route(
            f"/v1/tasks/{name}",
            _endpoint(service, name, offer),
            methods=["POST"],
            summary=offer.summary,
            operation_id=f"task-{name}",
            response_model=None,
            responses=schema.ERRORS,
            openapi_extra={schema.BODY: name},
        )


def _brief(name: str, offer: Offer) -> dict[str, Any]:
    task = offer.task
    return {
        "name": name,
        "summary": offer.summary,
        "available": offer.refusal is None,
        "reason": offer.refusal,
        "streams": task.streaming,
        "input": task.Input.model_json_schema(mode="validation"),
        "options": task.Options.model_json_schema(mode="validation"),
        "output": task.Output.model_json_schema(mode="serialization"),
    }


def _endpoint(service: Service, name: str, offer: Offer) -> Endpoint:
    async def run(request: Request) -> Response:
        body = await read_object(request, service.bounds.body)
        given = _inputs(body, service.bounds.samples)
        engine = Engine(offer.task, _options(offer, body.get("options")), service.backend)
        checked = [_sample(offer, index, one) for index, one in enumerate(given)]
        question = Question(service, name, engine, [one for one in checked if isinstance(one, Sample)])
        if body.get("stream"):
            return streaming(_told(question, checked, question.events(stream=True)))
        records = iter(await question.records(request))
        found = [one if isinstance(one, Record) else next(records) for one in checked]
        return PlainJSON({"model": service.model, "results": [item(service, record) for record in found]})

    return run


def _inputs(body: Mapping[str, Any], most: int) -> Sequence[Any]:
    if unknown := sorted(body.keys() - KEYS):
        raise RefusedError(400, f"Unknown: {unknown[0]!r}. A body has input, options and stream.")
    if "input" not in body:
        raise RefusedError(400, "Give input: an object with the task's fields, or a list of them.")
    if not isinstance(body.get("stream", False), bool):
        raise RefusedError(400, "stream is true or false.")
    given = body["input"] if isinstance(body["input"], list) else [body["input"]]
    if len(given) > most:
        raise RefusedError(413, f"{len(given)} samples at once; {most} is the most.")
    return given


def _options(offer: Offer, given: Any) -> BaseModel:
    if not isinstance(given, dict | None):
        raise RefusedError(400, "options is an object.")
    if given and "extra" in given:
        raise RefusedError(400, "extra is not taken from a request.")
    return task_options(offer.task, given or {})


def _sample(offer: Offer, index: int, given: Any) -> Sample | Record:
    """Return one input as a sample, or the record of its failure: no path or address in it is ever opened."""
    try:
        if not isinstance(given, dict):
            raise TypeError("an input is an object with the task's fields")
        return Sample(str(index), offer.task.Input.model_validate(given), index=index)
    except ValidationError as error:
        problem = one_line(error)
    except (TypeError, RecursionError) as error:
        problem = str(error)
    return Record(Sample(str(index), None, index=index), Failure("input", problem))


def item(service: Service, record: Record) -> Item:
    """Return a record as JSON."""
    if isinstance(record.result, Failure):
        failure = record.result
        told = {"type": failure.type, "message": service.tell(failure), "retryable": failure.retryable}
        return {"error": told}
    return {"output": record.result.model_dump(mode="json"), "usage": asdict(total(record.completions))}


def event(value: Any) -> str:
    """Return a value as a server-sent event."""
    return f"data: {value if isinstance(value, str) else json.dumps(value)}\n\n"


def streaming(events: AsyncIterator[str]) -> StreamingResponse:
    """Return the response that sends events as they come."""
    return StreamingResponse(events, media_type="text/event-stream", headers=EVENTS)


async def _told(
    question: Question, checked: Sequence[Sample | Record], arriving: AsyncGenerator[Event, None]
) -> AsyncIterator[str]:
    service = question.service
    async with aclosing(arriving) as events:
        for index, one in enumerate(checked):
            if isinstance(one, Record):
                yield event({"index": index, **item(service, one)})
        async for place, what in events:
            index = question.samples[place].index
            if isinstance(what, Delta):
                yield event({"index": index, "delta": {"text": what.text, "reasoning": what.reasoning}})
            else:
                yield event({"index": index, **item(service, what)})
    yield event("[DONE]")
