"""Whether it lives, and what it did."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from nlptasks.server.service import Service


def add_routes(app: FastAPI, service: Service) -> None:
    """Add ``/healthz`` and ``/metrics``."""

    @app.get("/healthz", summary="Say that the server lives", response_class=PlainTextResponse)
    async def healthz() -> str:
        return "ok"

    @app.get("/metrics", summary="Count for Prometheus", response_class=PlainTextResponse)
    async def metrics() -> Response:
        return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)
