"""A single-file plugin: the backend ``script`` does what the last message says, else it tells what it heard."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from nlptasks import Backend, Completion, Delta, Failure, Limits, Request, Spec, UnsupportedError, hookimpl


class Script(Backend):
    """``script/tiny`` reads little, ``script/none`` cannot be had, ``script/x`` answers in the name of x."""

    def __init__(self, name: str) -> None:
        if name == "none":
            raise UnsupportedError("There is no model of the name none.")
        self.name = name

    def complete(self, requests: Sequence[Request]) -> list[Completion | Failure]:
        return [answer for request in requests for answer in self.stream(request) if not isinstance(answer, Delta)]

    def limits(self) -> Limits:
        return Limits(40 if self.name == "tiny" else None)

    def stream(self, request: Request) -> Iterator[Delta | Completion | Failure]:
        said = request.messages[-1].content
        if said == "slow":
            yield Delta("eins ")
            yield Delta("zwei ")
            time.sleep(60)
        if said == "mute":
            Path("asked").touch()
            time.sleep(60)
        if said == "raise":
            raise RuntimeError("a mistake of mine")
        if said == "down" and not Path("up").exists():
            yield Delta("half of ")
            yield Failure("server", "the server\nis down", retryable=True)
            return
        thought = "first think" if said == "think" else ""
        heard = [f"{one.role}={one.content}{'+image' * len(one.images)}" for one in request.messages]
        text = f"<{self.name}: {' | '.join(heard)}>"
        yield Delta(reasoning=thought)
        for piece in text.split(" "):
            yield Delta(piece if text.startswith(piece) else f" {piece}")
        yield Completion(text, thought, finish_reason="length" if said == "long" else "stop")


def load(model: str) -> Script:
    """Return the backend."""
    return Script(model)


@hookimpl
def register_backends() -> list[Spec]:
    """Contribute it."""
    return [Spec("script", "chat_script:load")]
