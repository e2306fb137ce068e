"""All routes, behind one door."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from starlette.datastructures import Headers
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from nlptasks.server import chat, errors, pages, schema, status, tasks
from nlptasks.server.service import Service

OPEN = ("/healthz", "/docs", "/openapi.json", "/static-offline-docs/", "/page/")
"""What is answered without a token: it tells nothing of anyone."""


class Door:
    """Lets in who shows the token."""

    def __init__(self, app: ASGIApp, admits: Callable[[str], bool]) -> None:
        self._app, self._admits = app, admits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http" and scope["path"] != "/" and not scope["path"].startswith(OPEN):
            shown = Headers(scope=scope).get("Authorization", "")
            app = app if self._admits(shown) else REFUSED
        await app(scope, receive, send)


REFUSED = JSONResponse(
    errors.error("Show the token: Authorization: Bearer TOKEN.", "authentication_error"),
    401,
    {"WWW-Authenticate": "Bearer"},
)


def create_app(service: Service, hosts: Sequence[str]) -> FastAPI:
    """Return the app; ``hosts`` are the names it may be called by, which keeps other sites' pages out."""

    app: FastAPI = FastAPIOffline(title="nlptasks", version=version("nlptasks"), redoc_url=None, docs_url="/docs")
    app.add_middleware(Door, admits=service.admits)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)
    errors.handle(app)
    for part in (tasks, chat, status, pages):
        part.add_routes(app, service)
    schema.describe(app, service)
    return app
