"""A backend that takes its time, so that there is something to disturb; a plugin of a single file."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence

from pydantic import BaseModel
from typing_extensions import Self

from nlptasks import Backend, BackendError, Completion, Request, Spec, hookimpl

SECONDS = 0.02
"""How long a batch takes."""


class Options(BaseModel):
    trouble: str = ""
    """What goes wrong in a worker: "loading", or "identity"."""


class Slow(Backend):
    """Answers with the text backwards, and tells in ``data`` what it read, and in which process."""

    batch_size = 8

    def __init__(self, trouble: str) -> None:
        self._trouble = trouble

    def complete(self, requests: Sequence[Request]) -> Sequence[Completion]:
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
        return self


def load(model: str, options: Options) -> Slow:
    return Slow(options.trouble)


@hookimpl
def register_backends() -> list[Spec]:
    return [Spec("slow", "slow_backend:load", "Takes its time")]
