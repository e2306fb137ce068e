"""A server with so much room and no more: chat completions over HTTP/1.1, cheap enough not to be what is measured.

    python tests/benchmarks/server.py --room 64 --seconds 0.1 --port 8764

``GET /counts`` tells how many requests it had at once, refused and answered, and when the first and the last of
these were.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter
from typing import ClassVar

import click

USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
MESSAGE = {"role": "assistant", "content": "An answer of five words."}
CHOICE = {"index": 0, "message": MESSAGE, "finish_reason": "stop"}
ANSWER = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [CHOICE], "usage": USAGE}


def reply(status: str, body: object, header: str = "") -> bytes:
    """Return a whole HTTP answer."""
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{header}Content-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


OK = reply("200 OK", ANSWER)
FULL = reply("429 Too Many Requests", {"error": {"message": "no room"}}, "Retry-After: 1\r\n")


class Connection(asyncio.Protocol):
    """One connection; every request gets its answer after a while, or is refused at once."""

    counts: ClassVar = Counter[str]()
    first = last = 0.0
    room: int
    seconds: float

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._received = transport, b""

    def data_received(self, data: bytes) -> None:
        """Take what came of a request, and answer where it is whole."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if end and len(body) >= _length(head):
            self._received = b""
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        counts = self.counts
        if head.startswith(b"GET /counts"):
            self._transport.write(reply("200 OK", {**counts, "first": Connection.first, "last": Connection.last}))
            return
        Connection.first = Connection.first or time.monotonic()
        if counts["busy"] >= self.room:
            counts["refused"] += 1
            self._transport.write(FULL)
        else:
            counts["busy"] += 1
            counts["most"] = max(counts["most"], counts["busy"])
            asyncio.get_running_loop().call_later(self.seconds, self._finish)

    def _finish(self) -> None:
        self.counts["busy"] -= 1
        self.counts["answered"] += 1
        Connection.last = time.monotonic()
        self._transport.write(OK)


def _length(head: bytes) -> int:
    lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    return next((int(value) for name, _, value in lines if name == b"content-length"), 0)


async def serve(port: int) -> None:
    """Serve until killed; the port is printed once it is open."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port, backlog=512)
    click.echo(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def main() -> None:
    """Serve as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--room", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=0.1)
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    Connection.room, Connection.seconds = given.room, given.seconds
    asyncio.run(serve(given.port))


if __name__ == "__main__":
    main()
