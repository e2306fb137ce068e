"""Server-sent events out of bytes."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator


class EventReader:
    """Reads the data of server-sent events, however the bytes are cut into pieces.

    Source: WHATWG HTML, section 9.2.6 "Interpreting an event stream". httpx's own ``aiter_lines`` does not
    serve: it also breaks lines at U+2028 and its like, which stand unescaped in JSON text.
    """

    def __init__(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._decoder = io.IncrementalNewlineDecoder(decoder, translate=True)
        self._rest = ""
        self._data: list[str] = []

    def feed(self, piece: bytes, final: bool = False) -> Iterator[str]:
        """Yield the data of every event that ``piece`` completes; ``final`` completes the last one."""
        *lines, self._rest = (self._rest + self._decoder.decode(piece, final)).split("\n")
        if final:
            lines += [self._rest, ""]
        for line in lines:
            name, _, value = line.partition(":")
            if name == "data":
                self._data.append(value.removeprefix(" "))
            elif not line and self._data:
                data, self._data = "\n".join(self._data), []
                yield data
