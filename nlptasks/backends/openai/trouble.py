"""What goes wrong between here and a server: each in one line that says what to do, and whether to try again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from nlptasks.records import Failure, Request

LONGEST_WAIT = 300.0
"""Seconds: a server that asks to wait longer than this is not waited for."""

_ECHO = 12
"""This many characters in a row taken from a prompt make a server's words unfit to show."""

_WORDS = 300
"""Characters shown of a server's words."""


class Trouble(Exception):  # noqa: N818 -- a passing state of affairs, caught in this package
    """A try that failed.

    ``again``: another one may help, after at least ``wait`` seconds. ``heard``: the server said something.
    ``full``: the server had no room for the request.
    """

    def __init__(self, kind: str, message: str, *, again: bool = False, wait: float = 0.0, full: bool = False) -> None:
        super().__init__(message)
        self.failure = Failure(kind, message, retryable=again)
        self.again = again and wait <= LONGEST_WAIT
        self.wait = wait
        self.full = full
        self.heard = True


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a server says of an error, in any of the shapes in use."""

    message: str = ""
    code: str = ""
    param: str = ""

    @classmethod
    def read(cls, value: Any) -> Complaint:
        """Read OpenAI's ``{"error": {...}}``, FastAPI's ``{"detail": ...}`` and their plainer relatives."""
        if isinstance(value, bytes):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                return cls()
        if isinstance(value, list):
            return cls("; ".join(_detail(item) for item in value if isinstance(item, dict)))
        if not isinstance(value, dict):
            return cls(value if isinstance(value, str) else "")
        inner = value.get("error") or value.get("detail")
        if inner:
            return cls.read(inner)
        return cls(*(str(value.get(name) or "") for name in ("message", "code", "param")))

    def shown(self, request: Request, key: str) -> str:
        """Return the server's words on one line, or nothing if they repeat the request or the key."""
        words = " ".join(self.message.split())[:_WORDS]
        secrets = [message.content for message in request.messages] + [key]
        return "" if any(_echoes(words, secret) for secret in secrets) else words


def _detail(item: dict[str, Any]) -> str:
    # FastAPI's items also hold the rejected "input": that is the request, so it is left out.
    return f"{item.get('msg', '')} ({'.'.join(map(str, item.get('loc') or ()))})"


def _echoes(words: str, secret: str) -> bool:
    secret = " ".join(secret.split())
    if len(secret) <= _ECHO:
        return bool(secret) and secret in words
    return any(words[at : at + _ECHO] in secret for at in range(max(1, len(words) - _ECHO + 1)))


def unreachable(where: str, reason: str) -> Trouble:
    """No connection could be made."""
    message = f"Nothing answers at {where} ({reason}): is the server running at this base URL?"
    return Trouble("connection", message, again=True)


def too_slow(where: str, seconds: float) -> Trouble:
    """The time for one try is over."""
    advice = "raise the option timeout, or ask for fewer tokens"
    message = f"No complete answer from {where} within {seconds:g} s: {advice}."
    return Trouble("timeout", message, again=True)


def cut_off(where: str, shown: bool = False) -> Trouble:
    """The connection ended before the answer did; ``shown``: part of it has been handed on already."""
    if shown:
        message = f"The answer from {where} broke off after a part of it was shown: ask again for a whole one."
    else:
        message = f"The connection to {where} broke off before the answer was complete: try again later."
    trouble = Trouble("connection", message, again=True)
    trouble.again = not shown
    return trouble


def bad_answer(where: str, what: str, again: bool = False) -> Trouble:
    """The server answered with something that is no chat completion."""
    advice = "try again later" if again else "is it an OpenAI-compatible server, and its base URL complete (.../v1)?"
    return Trouble("bad_answer", f"The server at {where} answered with {what}: {advice}", again=again)


def rejected(where: str, status: int, complaint: Complaint, words: str, wait: float = 0.0) -> Trouble:
    """The server answered with the error ``status``, 0 if it gave none; ``words`` are its own, fit to be shown."""
    said = f" It says: {words}" if words else ""
    server = f"The server at {where}"
    if wait > LONGEST_WAIT:
        message = f"{server} asks to wait {wait:.0f} s (HTTP {status}), too long to wait here: try again then."
        return Trouble("rate_limit", message, again=True, wait=wait)
    if not status:
        return Trouble("server", f"{server} reports an error instead of an answer: look into its log.{said}")
    if complaint.code == "insufficient_quota":
        return Trouble("rate_limit", f"{server} has no quota left for this key: check its plan and billing.{said}")
    if status == 429:
        message = f"{server} limits how much it is asked (HTTP 429): try later, or lower the option concurrency."
        return Trouble("rate_limit", message + said, again=True, wait=wait, full=True)
    if status in (408, 409) or status >= 500:
        message = f"{server} failed (HTTP {status}): try again later, or look into its log."
        return Trouble("server", message + said, again=True, wait=wait, full=status in (503, 529))
    if 300 <= status < 400:
        return Trouble("bad_request", f"{server} redirects elsewhere (HTTP {status}): give the final base URL.")
    return Trouble("bad_request", f"{server} rejects the request (HTTP {status}): check model and options.{said}")


def refused(where: str, status: int, key_env: str, has_key: bool) -> Trouble:
    """The server wants a key, or another one (401, 403)."""
    problem = "refuses the API key" if has_key else "wants an API key"
    message = f"The server at {where} {problem} (HTTP {status}): put a valid one in the environment variable {key_env}."
    return Trouble("authentication", message)


def no_model(where: str, model: str, offered: Iterable[str]) -> Trouble:
    """The server does not know ``model`` or the path (404); ``offered`` are the models it lists, if any."""
    from nlptasks.errors import closest

    names = sorted(offered)
    if not names:
        message = f"The server at {where} knows no model {model!r}, or the base URL is incomplete (.../v1) (HTTP 404)."
        return Trouble("not_found", message)
    nearest = closest(model, names)
    hint = f" Did you mean {nearest!r}?" if nearest else ""
    listed = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    return Trouble("not_found", f"The server at {where} has no model {model!r}.{hint} It offers: {listed}.")


def retry_after(value: str | None) -> float:
    """Return the seconds that a Retry-After header asks to wait, 0 without one.

    Source: RFC 9110, section 10.2.3 (a number of seconds, or an HTTP date).
    """
    if not value:
        return 0.0
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    if when.tzinfo is None:
        when = when.replace(tzinfo=timezone.utc)
    return max(0.0, (when - datetime.now(timezone.utc)).total_seconds())
