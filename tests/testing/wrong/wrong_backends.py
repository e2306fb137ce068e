"""A right backend, and what an author may get wrong about one: each class in one way."""
# mypy: ignore-errors

from __future__ import annotations

import itertools
from dataclasses import replace

from nlptasks import Backend, Capability, Completion, Delta, Failure, Limits
from nlptasks.backends.base import BatchSession


def text_of(request):
    return request.messages[-1].content if request.messages else ""


class RightBackend(Backend):
    batch_size = 3
    capabilities = frozenset({Capability.CHAT})

    def __init__(self, model):
        self.model = model

    def answer(self, request):
        text = text_of(request)
        return Completion(text.upper()) if text else Failure("bad_request", "There is nothing to answer.")

    def complete(self, requests):
        return [self.answer(request) for request in requests]


class NoBatch(RightBackend):
    batch_size = 0


class ListedCapabilities(RightBackend):
    capabilities = ["chat"]


class PickyUnsaid(RightBackend):
    tasks = frozenset({"chat"})

    def refusal(self, task):
        return None


class Verbose(RightBackend):
    def refusal(self, task):
        return None if task == "chat" else "No.\nNever."


class Reversing(RightBackend):
    def complete(self, requests):
        return super().complete(requests)[::-1]


class Dropping(RightBackend):
    def complete(self, requests):
        return [*{text_of(request): self.answer(request) for request in requests}.values()]


class NeighbourReading(RightBackend):
    def complete(self, requests):
        texts = [text_of(request) for request in requests]
        return [Completion(text.upper().ljust(max(map(len, texts)), ".")) for text in texts]


class Moody(RightBackend):
    moods = itertools.cycle(["!", "?"])

    def answer(self, request):
        return Completion(text_of(request) + next(self.moods))


class Stuttering(RightBackend):
    def stream(self, request):
        *_, last = super().stream(request)
        yield from (Delta(word) for word in last.text.split())
        yield last


class Endless(RightBackend):
    def stream(self, request):
        yield Delta(self.answer(request).text)


class TalkingOn(RightBackend):
    def stream(self, request):
        yield self.answer(request)
        yield self.answer(request)


class RoomlessSession(BatchSession):
    room = 0


class Roomless(RightBackend):
    def open(self):
        return RoomlessSession(self)


class KeylessSession(BatchSession):
    def get(self):
        _, answer = super().get()
        return None, answer


class Keyless(RightBackend):
    def open(self):
        return KeylessSession(self)


class SwappingSession(BatchSession):
    def put(self, key, request):
        super().put((key + 1) % 3, request)


class Swapping(RightBackend):
    def open(self):
        return SwappingSession(self)


class Raising(RightBackend):
    def complete(self, requests):
        return [Completion(request.messages[0].content.encode().decode().upper()) for request in requests]


class Boasting(RightBackend):
    capabilities = frozenset({Capability.CHAT, Capability.LOGLIKELIHOOD})


class Holding(RightBackend):
    def answer(self, request):
        return Completion(text_of(request), data={"request": object()})


class Unsorted(RightBackend):
    def answer(self, request):
        return Completion(text_of(request), data={"ignored": ["seed", "num_beams"]})


class Unique(RightBackend):
    def identity(self):
        return {"model": self.model, "instance": str(id(self))}


class CountingIdentity(RightBackend):
    answered = 0

    def answer(self, request):
        type(self).answered += 1
        return super().answer(request)

    def identity(self):
        return {"model": self.model, "answered": str(self.answered)}


class NumericIdentity(RightBackend):
    def identity(self):
        return {"layers": 12}


class GuessingLimits(Limits):
    def count(self, request):
        return 1


class Guessing(RightBackend):
    def limits(self):
        return GuessingLimits(512)


class NoContext(RightBackend):
    def limits(self):
        return Limits(0)


class Printing(RightBackend):
    def answer(self, request):
        print("thinking ...")  # noqa: T201
        return super().answer(request)


class ClosedForGood(RightBackend):
    closed = False

    def close(self):
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True


class Textual(RightBackend):
    def answer(self, request):
        return text_of(request)


class NoText(RightBackend):
    def answer(self, request):
        return Completion(None)


class Refusing(RightBackend):
    def answer(self, request):
        return replace(Failure("busy", "There is\nno line."), retryable=True)


class NotABackend:
    def __init__(self, model):
        self.model = model
