"""A backend that takes its time, so that there is something to disturb; a plugin of a single file."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel
from typing_extensions import Self

from nlptasks import Backend, BackendError, Completion, Request, Spec, hookimpl

SECONDS = 0.02
"""How long a batch takes."""
MEETING = 60.0
"""Seconds for which a process waits for the others."""


class Options(BaseModel):
    trouble: str = ""
    """What goes wrong in a worker: "loading", or "identity"."""
    meet: int = 1
    """How many processes must have been ready before one answers: the quickest could do all the work."""


class Slow(Backend):
    """Answers with the text backwards, and tells in ``data`` what it read, and in which process."""

    batch_size = 8

    def __init__(self, options: Options) -> None:
        self._trouble, self._meet = options.trouble, options.meet

    def complete(self, requests: Sequence[Request]) -> Sequence[Completion]:
        end = time.monotonic() + MEETING
        while len(list(Path().glob("ready-*"))) < self._meet and time.monotonic() < end:
            time.sleep(SECONDS)
        time.sleep(SECONDS)
        texts = [request.fields["text"] for request in requests]
        if any("poison" in text for text in texts):
            os._exit(1)
        return [Completion(text[::-1], data={"read": text, "process": os.getpid()}) for text in texts]

    def identity(self) -> Mapping[str, str]:
        return {"backend": "slow", **({"process": str(os.getpid())} if self._trouble == "identity" else {})}

    def __enter__(self) -> Self:
        if self._trouble == "loading":
            raise BackendError("There is no memory for so many weights: choose a smaller model.")
        Path(f"ready-{os.getpid()}").touch()
        return self


def load(model: str, options: Options) -> Slow:
    return Slow(options)


@hookimpl
def register_backends() -> list[Spec]:
    return [Spec("slow", "slow_backend:load", "Takes its time")]
