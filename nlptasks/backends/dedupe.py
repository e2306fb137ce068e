"""Answers a request once while the same request is already on its way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from nlptasks.backends.base import Answer, K, Session
from nlptasks.backends.wrapper import Hand, Wrapper, WrapperSession, digest_of
from nlptasks.records import Completion, Delta, Request, Usage


class Dedupe(Wrapper):
    """Shares answers within a session; only of requests that are expected to repeat (greedy or seeded)."""

    def open(self) -> Session[Any]:
        return _DedupeSession(self.inner.open())

    def stream(self, request: Request) -> Iterator[Delta | Answer]:
        return self.inner.stream(request)


class _DedupeSession(WrapperSession[K]):
    def __init__(self, inner: Session[K]) -> None:
        super().__init__(inner)
        self._digests: dict[K, str] = {}
        self._followers: dict[str, list[K]] = {}

    def admit(self, key: K, request: Request, hand: Hand[K]) -> None:
        digest = digest_of(request) if request.config.repeatable else None
        if digest in self._followers:
            self._followers[digest].append(key)
            return
        if digest is not None:
            self._digests[key] = digest
            self._followers[digest] = []
        hand(key, request)

    def received(self, key: K, answer: Answer) -> tuple[K, Answer]:
        digest = self._digests.pop(key, "")
        if followers := self._followers.pop(digest, []):
            shared = replace(answer, usage=Usage()) if isinstance(answer, Completion) else answer  # made once
            self.ready.extend((follower, shared) for follower in followers)
        return key, answer

    def drop(self, key: K) -> bool:
        for followers in self._followers.values():
            if key in followers:
                followers.remove(key)
                return True
        digest = self._digests.get(key)
        if digest is not None and self._followers[digest]:
            return False  # others wait for its answer
        dropped = self.inner.drop(key)
        if dropped and digest is not None:
            del self._digests[key], self._followers[digest]
        return dropped
