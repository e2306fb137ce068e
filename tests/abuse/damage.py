"""What is given to everything that reads: sound content with something wrong in it, and what may come of that.

The short form gives each the same 50 inputs every time. The long form, of so many that are new each time, is

    NLPTASKS_FUZZ=10000 pytest tests/abuse --timeout 0 -n auto
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from nlptasks.errors import NLPTasksError

INPUTS = int(os.environ.get("NLPTASKS_FUZZ", "0"))
fuzzed = settings(
    max_examples=INPUTS or 50,
    derandomize=not INPUTS,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

TRICKS = [
    *(
        b"\0",
        b"\r",
        b"\n",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xc3",
        b"\xe2\x80\xa8",
        b'"',
        b"'",
        b",",
        b";",
        b"\t",
        b"\\",
    ),
    *(b"{", b"}", b"[", b"]", b"<", b"{{", b"{%", b"null", b"true", b"NaN", b"-Infinity", b"1e999", b"-1", b"0.5"),
    *(
        b"9" * 400,
        b"[" * 5000,
        b'{"a":' * 2000,
        b'"\\ud800"',
        b"\\u0000",
        "🏳️‍🌈".encode(),
        "你".encode(),
        "\u202e".encode(),
    ),
    *(b"__class__", b"../../etc/passwd", b"%s%n", b"file:///etc/passwd", b"=", b"--", b""),
]


@st.composite
def damaged(draw: Any, whole: bytes) -> bytes:
    """Bytes of which some are replaced by others, moved or left out."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(whole)))
        end = draw(st.integers(start, min(len(whole), start + draw(st.sampled_from([0, 1, 8, 200])))))
        pieces = st.sampled_from(TRICKS) | st.binary(max_size=8) | st.just(whole[start // 2 : end])
        whole = whole[:start] + draw(pieces) + whole[end:]
    return whole


def content(*wholes: bytes) -> st.SearchStrategy[bytes]:
    """Sound content, damaged more often than not, or none at all."""
    sound = st.sampled_from(wholes)
    return st.one_of(sound.flatmap(damaged), sound.flatmap(damaged), st.binary(max_size=60), sound)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
"""Whatever JSON can hold, and Python's reader of it lets through."""


def orderly(call: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
    """Return what a call returns; None where it refuses in one line, as it may."""
    try:
        return call(*arguments, **more)
    except NLPTasksError as error:
        refusal = str(error)
    assert refusal.strip(), "a refusal says why"
    return None
