"""Reading a request's body with distrust, and writing an answer's."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from nlptasks.server.errors import RefusedError


class PlainJSON(JSONResponse):
    """JSON in ASCII: a text may hold half a character, which UTF-8 has no form for."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, separators=(",", ":")).encode()


async def read_object(request: Request, most: int) -> dict[str, Any]:
    """Return the JSON object of a body of at most ``most`` bytes.

    Only ``application/json`` is taken: a page of another site can send a browser here with anything else.

    Raises:
        RefusedError: it is something else.
    """
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RefusedError(415, "Send JSON, with the header Content-Type: application/json.")
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > most:
            raise RefusedError(413, f"The body is longer than {most} bytes.")
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, f"The body is no JSON: {type(error).__name__}.") from None
    if not isinstance(value, dict):
        raise RefusedError(400, "The body must be a JSON object.")
    return value
