"""What a client is told when it gets no answer: always JSON in OpenAI's shape."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from nlptasks.errors import NLPTasksError, UsageError
from nlptasks.records import Failure
from nlptasks.server.asking import GoneError
from nlptasks.server.desk import FullError

log = logging.getLogger("nlptasks")
RETRY_AFTER = "1"
UNFIT = "invalid_request_error"
"""OpenAI's word for a request that must change before it is sent again."""
CLIENT_CLOSED = 499
"""As nginx has it; nobody reads it."""
STATUS = {"timeout": 504, "backend": 502, "task": 500, "out_of_memory": 503}
"""HTTP status by type of failure; 400 for all others, which the request itself brought about."""


class RefusedError(Exception):
    """A request that is not worked on."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def error(message: str, kind: str) -> dict[str, Any]:
    """Return the body of an error."""
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def failed(failure: Failure, message: str) -> JSONResponse:
    """Return a failed sample as the answer to the whole request; ``message`` is what may be told of it."""
    return JSONResponse(error(message, failure.type), STATUS.get(failure.type, 400))


def handle(app: FastAPI) -> None:
    """Have an app answer every error in one shape."""

    @app.exception_handler(RefusedError)
    async def refused(request: Request, problem: RefusedError) -> JSONResponse:
        return JSONResponse(error(str(problem), UNFIT), problem.status)

    @app.exception_handler(NLPTasksError)
    async def unfit(request: Request, problem: NLPTasksError) -> JSONResponse:
        message = " ".join(str(problem).split())
        return JSONResponse(error(message, UNFIT), 400 if isinstance(problem, UsageError) else 422)

    @app.exception_handler(FullError)
    async def full(request: Request, problem: FullError) -> JSONResponse:
        body = error("The server has enough to do: try again later.", "overloaded")
        return JSONResponse(body, 429, {"Retry-After": RETRY_AFTER})

    @app.exception_handler(GoneError)
    async def gone(request: Request, problem: GoneError) -> JSONResponse:
        return JSONResponse(error("The client has left.", "gone"), CLIENT_CLOSED)

    @app.exception_handler(HTTPException)
    async def other(request: Request, problem: HTTPException) -> JSONResponse:
        return JSONResponse(error(problem.detail, UNFIT), problem.status_code, problem.headers)

    @app.exception_handler(Exception)
    async def mistaken(request: Request, problem: Exception) -> JSONResponse:
        log.error("%s at %s: a mistake in nlptasks or a plugin.", type(problem).__name__, request.url.path)
        return JSONResponse(error(f"{type(problem).__name__}: a mistake in the server.", "server_error"), 500)
