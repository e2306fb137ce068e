"""The OpenAPI description: the tasks' own models, as they are declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from nlptasks.job import AnyTask
from nlptasks.server.conversation import Asked
from nlptasks.server.service import Service

BODY = "nlptasks-body"
"""Marks an operation in the routes: the name of the task, or CHAT, whose body it takes."""
CHAT = ""
REF = "#/components/schemas/{model}"
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": "null"},
                "code": {"type": "null"},
            },
        }
    },
}
MEANINGS = {
    400: "the request does not fit",
    401: "no token, or a wrong one",
    413: "too much at once",
    415: "no JSON",
    422: "the model cannot do this",
    429: "enough to do: try again later",
}
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"description": meaning, "content": {"application/json": {"schema": {"$ref": REF.format(model="Error")}}}}
    for status, meaning in MEANINGS.items()
}
FAILURE = {
    "type": "object",
    "required": ["type", "message", "retryable"],
    "properties": {"type": {"type": "string"}, "message": {"type": "string"}, "retryable": {"type": "boolean"}},
}
USAGE = {
    "type": "object",
    "required": ["prompt_tokens", "completion_tokens"],
    "properties": {"prompt_tokens": {"type": "integer"}, "completion_tokens": {"type": "integer"}},
}
COMPLETION = {
    "type": "object",
    "required": ["id", "object", "created", "model", "choices", "usage"],
    "properties": {
        "id": {"type": "string"},
        "object": {"const": "chat.completion"},
        "created": {"type": "integer", "description": "Seconds since 1970."},
        "model": {"type": "string"},
        "choices": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["index", "message", "finish_reason"],
                "properties": {
                    "index": {"type": "integer"},
                    "message": {
                        "type": "object",
                        "required": ["role", "content"],
                        "properties": {
                            "role": {"const": "assistant"},
                            "content": {"type": "string"},
                            "reasoning_content": {"type": "string"},
                        },
                    },
                    "finish_reason": {"type": "string"},
                },
            },
        },
        "usage": {"$ref": REF.format(model="Usage")},
    },
}


def describe(app: FastAPI, service: Service) -> None:
    """Have an app describe the bodies of the tasks' routes."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app, service)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _described(app: FastAPI, service: Service) -> dict[str, Any]:
    whole = get_openapi(title=app.title, version=app.version, routes=app.routes)
    models: list[Any] = [(Asked, "validation")]
    for offer in service.offers.values():
        models += [(offer.task.Input, "validation"), (offer.task.Options, "validation")]
        models.append((offer.task.Output, "serialization"))
    known, defined = models_json_schema(list(dict.fromkeys(models)), ref_template=REF)
    schemas = whole.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(defined.get("$defs", {}), Error=ERROR, Failure=FAILURE, Usage=USAGE)
    for operation in (operation for path in whole["paths"].values() for operation in path.values()):
        name = operation.pop(BODY, None)
        if name == CHAT:
            operation["requestBody"] = _required(known[Asked, "validation"])
            operation["responses"]["200"] = _answer("The reply.", COMPLETION)
        elif name:
            task = service.offers[name].task
            operation["requestBody"] = _required(_body(known, task, service.bounds.samples))
            results = _results(known[task.Output, "serialization"])
            operation["responses"]["200"] = _answer("A result for every input, in their order.", results)
    return whole


def _required(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _body(known: Mapping[Any, Mapping[str, Any]], task: AnyTask, most: int) -> dict[str, Any]:
    input_ = known[task.Input, "validation"]
    properties = {
        "input": {"anyOf": [input_, {"type": "array", "items": input_, "maxItems": most}]},
        "options": known[task.Options, "validation"],
        "stream": {"type": "boolean", "default": False, "description": "Answer by server-sent events."},
    }
    return {"type": "object", "required": ["input"], "properties": properties, "additionalProperties": False}


def _results(output: Mapping[str, Any]) -> dict[str, Any]:
    done = {
        "type": "object",
        "required": ["output", "usage"],
        "properties": {"output": output, "usage": {"$ref": REF.format(model="Usage")}},
    }
    bad = {"type": "object", "required": ["error"], "properties": {"error": {"$ref": REF.format(model="Failure")}}}
    results = {"type": "array", "items": {"anyOf": [done, bad]}}
    return {
        "type": "object",
        "required": ["model", "results"],
        "properties": {"model": {"type": "string"}, "results": results},
    }


def _answer(description: str, whole: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": whole}, "text/event-stream": {}},
    }
