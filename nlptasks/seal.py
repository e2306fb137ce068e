"""Objects in JSON that begin with a checksum of the rest: a damaged one is told from one that was written so."""

from __future__ import annotations

import json
import re
import zlib
from typing import Any

_SEAL = re.compile(rb'\{"crc32": (\d{1,10}), ')


def sealed(text: bytes) -> bytes:
    """Return an object that is not empty, as JSON, with its checksum as the first member."""
    return b'{"crc32": %d, %b' % (zlib.crc32(text), text[1:])


def unsealed(text: bytes) -> dict[str, Any] | None:
    """Return the object; None where it was damaged, or never sealed."""
    found = _SEAL.match(text)
    if found is None or zlib.crc32(b"{" + text[found.end() :]) != int(found[1]):
        return None
    value: dict[str, Any] = json.loads(text)
    return value
