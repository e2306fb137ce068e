"""One server and one model, asked asynchronously: at the server's pace, one try at a time."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import aiohttp
import anyio
import httpx
from httpx_aiohttp import HttpxAiohttpClient

from nlptasks.backends.base import Answer, Show, warn_once
from nlptasks.backends.openai import Options, payload, trouble
from nlptasks.backends.openai.answer import Reader, ServerError, is_json, model_names
from nlptasks.backends.openai.circuit import Circuit
from nlptasks.backends.openai.pace import Pace, Place
from nlptasks.backends.openai.sse import EventReader
from nlptasks.backends.openai.trouble import Complaint, Trouble
from nlptasks.records import Completion, Request

MAX_BODY = 32 * 1024 * 1024
"""Bytes read of one answer."""

CONNECT_TIMEOUT = 10.0
"""Seconds to wait for a connection."""

_BROKEN = (httpx.RequestError, aiohttp.ClientError)
"""What a connection raises; aiohttp's errors are httpx's where they have a name there."""


class Client:
    """Lives on one event loop; ``pace`` finds how many requests the server works on at once."""

    def __init__(self, url: httpx.URL, model: str, key: str, options: Options) -> None:
        auth = httpx.BasicAuth(url.username, url.password) if url.userinfo else None
        self.where = shown(url)
        self.pace = Pace(options.concurrency)
        self._url = url.copy_with(username=None, password=None)
        self._completions = self._at("chat/completions")
        self._model = model
        self._key = key
        self._options = options
        self._lacks: set[str] = set()
        self._offered: list[str] | None = None
        # httpx's own pool looks through all connections for each request: aiohttp's is ten times quicker.
        self._http = HttpxAiohttpClient(
            auth=auth,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            limits=httpx.Limits(max_connections=options.concurrency),
            timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT),
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def attempt(self, place: Place, request: Request, circuit: Circuit, show: Show | None = None) -> Answer:
        """Try once to get an answer, in a place of this server's; ``show`` gets the pieces of a stream.

        Raises:
            Trouble: the try failed.
        """
        await place.take()
        if circuit.failure:
            return circuit.failure
        try:
            answer = await self._try(request, circuit, show)
        except Trouble as error:
            if error.full:
                self.pace.refused(error.wait)
                place.leave()
            raise
        self.pace.answered()
        return answer

    async def _try(self, request: Request, circuit: Circuit, show: Show | None) -> Completion:
        began = time.monotonic()
        reader = Reader(self.where, self._model, show)
        try:
            with anyio.fail_after(self._options.timeout):
                ignored = await self._exchange(request, circuit, reader)
            answer = reader.completion()
        except (Trouble, *_BROKEN, TimeoutError) as error:
            reason = self._explain(error)
            if reader.shown and reason.again:
                reason = trouble.cut_off(self.where, shown=True)
            reason.heard = reader.heard
            raise reason from None
        if request.schema is not None and answer.finish_reason == "stop" and not is_json(answer.text):
            ignored = sorted([*ignored, "schema"])
        for name in ignored:
            warn_once(f"The server at {self.where} does not honour {name}: it is ignored.")
        data = {**answer.data, "ignored": ignored} if ignored else answer.data
        return replace(answer, data=data, latency=time.monotonic() - began)

    async def _exchange(self, request: Request, circuit: Circuit, reader: Reader) -> list[str]:
        """Post the request, once more for each parameter the server turns out to lack; return what it ignored."""
        full = payload.build(request, self._model, stream=reader.streams)
        while True:
            body = payload.fit(full, self._lacks)
            content, headers = payload.encode(body), {"Content-Type": "application/json"}
            async with self._http.stream("POST", self._completions, content=content, headers=headers) as got:
                circuit.heard()
                reader.heard = True
                if got.is_success:
                    await self._read(got, request, reader)
                    return payload.ignored(request, full, self._lacks)
                complaint = Complaint.read(await self._whole(got))
            lacking = payload.unsupported(body, complaint) if got.status_code in (400, 422) else None
            if lacking is None:
                raise await self._rejection(got, complaint, request)
            self._lacks.add(lacking)

    async def _read(self, response: httpx.Response, request: Request, reader: Reader) -> None:
        try:
            if not response.headers.get("Content-Type", "").lower().startswith("text/event-stream"):
                return reader.body(await self._whole(response))
            events = EventReader()
            async with aclosing(self._pieces(response)) as pieces:
                async for piece in pieces:
                    if any(reader.event(data) for data in events.feed(piece)):
                        return None
            for data in events.feed(b"", final=True):
                reader.event(data)
        except ServerError as error:
            complaint = Complaint.read(error.error)
            status = int(complaint.code) if complaint.code.isdecimal() else 0
            words = complaint.shown(request, self._key)
            raise trouble.rejected(self.where, status, complaint, words) from None

    async def _rejection(self, response: httpx.Response, complaint: Complaint, request: Request) -> Trouble:
        status = response.status_code
        if status in (401, 403):
            return trouble.refused(self.where, status, self._options.api_key_env, bool(self._key))
        if status == 404:
            if self._offered is None:
                self._offered = await self._models()
            return trouble.no_model(self.where, self._model, self._offered)
        wait = trouble.retry_after(response.headers.get("Retry-After"))
        return trouble.rejected(self.where, status, complaint, complaint.shown(request, self._key), wait)

    async def _models(self) -> list[str]:
        """Return the names of the models the server offers, none if it does not say."""
        try:
            async with self._http.stream("GET", self._at("models")) as response:
                return model_names(await self._whole(response))
        except (*_BROKEN, Trouble):
            return []

    async def _whole(self, response: httpx.Response) -> bytes:
        async with aclosing(self._pieces(response)) as pieces:
            return b"".join([piece async for piece in pieces])

    async def _pieces(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        size = 0
        async for piece in response.aiter_bytes():
            size += len(piece)
            if size > MAX_BODY:
                raise trouble.bad_answer(self.where, f"more than {MAX_BODY} bytes")
            yield piece

    def _at(self, path: str) -> httpx.URL:
        return self._url.copy_with(path=f"{self._url.path.rstrip('/')}/{path}")

    def _explain(self, error: Exception) -> Trouble:
        if isinstance(error, Trouble):
            return error
        if isinstance(error.__cause__, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)):
            return trouble.unreachable(self.where, str(error) or "no connection in time")
        if isinstance(error, TimeoutError):
            return trouble.too_slow(self.where, self._options.timeout)
        if isinstance(error, httpx.DecodingError):
            return trouble.bad_answer(self.where, "data that cannot be decompressed", again=True)
        return trouble.cut_off(self.where)


def shown(url: httpx.URL) -> str:
    """Return ``url`` without anything secret: no user, no password, no query."""
    return str(url.copy_with(username=None, password=None, query=None, fragment=None)).rstrip("/")
