"""What is served, and how much of it."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from nlptasks.backends.base import Backend
from nlptasks.backends.guarded import Guards
from nlptasks.errors import NLPTasksError
from nlptasks.job import AnyTask, load_task
from nlptasks.plugin import registry
from nlptasks.records import Failure
from nlptasks.server.desk import Desk
from nlptasks.server.metrics import Metrics

log = logging.getLogger("nlptasks")


@dataclass(frozen=True)
class Bounds:
    """How much one request, and all of them, may take: ``body`` in bytes, ``seconds`` for the whole of an answer."""

    body: int = 16 * 1024 * 1024
    samples: int = 64
    capacity: int = 256
    seconds: float = 300.0


@dataclass(frozen=True)
class Offer:
    """One task; ``refusal`` says why this model cannot do it."""

    task: AnyTask
    summary: str
    refusal: str | None


@dataclass(frozen=True)
class Service:
    """Every installed task at one desk. ``token`` is what clients must show, empty where they need none."""

    model: str
    desk: Desk
    bounds: Bounds = field(default_factory=Bounds)
    token: str = ""

    @property
    def backend(self) -> Backend:
        """What answers at the desk."""
        return self.desk.backend

    @cached_property
    def metrics(self) -> Metrics:
        """What is counted."""
        return Metrics(self.desk)

    @cached_property
    def offers(self) -> Mapping[str, Offer]:
        """The tasks by name; one whose plugin does not load is warned of and left out."""
        found = {}
        for entry in registry().entries("task"):
            name = entry.spec.name
            try:
                task = load_task(name)
            except NLPTasksError as error:
                log.warning("Not served: %s", error)
            else:
                found[name] = Offer(task, entry.spec.summary, self.backend.refusal(name))
        return found

    def admits(self, authorization: str) -> bool:
        """Return whether a request with this ``Authorization`` header may be answered."""
        given = authorization.removeprefix("Bearer ").strip().encode("latin-1")  # as HTTP has it
        return not self.token or hmac.compare_digest(given, self.token.encode())

    def tell(self, failure: Failure) -> str:
        """Return what a client is told of a failure: with guards, only what they let through."""
        return Guards(registry().plugins).tell(failure)
