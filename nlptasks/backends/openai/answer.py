"""What a server sends back, read with distrust."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ValidationError

from nlptasks.backends.base import Show
from nlptasks.backends.openai.trouble import bad_answer, cut_off
from nlptasks.backends.reasoning import Splitter
from nlptasks.records import Completion, Delta, FinishReason, Usage

_FINISH: dict[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}


class ServerError(Exception):
    """An error object where an answer should be."""

    def __init__(self, error: Any) -> None:
        super().__init__("an error object")
        self.error = error


class _Message(BaseModel):
    content: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    index: int = 0
    message: _Message | None = None
    delta: _Message | None = None
    finish_reason: str | None = None


class _Answer(BaseModel):
    choices: list[_Choice] | None = None
    model: Any = None
    usage: Any = None


class Reader:
    """Gathers one answer, whole or from a stream; ``show`` gets each new piece of it.

    ``heard``: the server said something; ``shown``: so much that a piece was handed on.
    """

    def __init__(self, where: str, asked: str, show: Show | None = None) -> None:
        self._where = where
        self._asked = asked
        self._show = show
        self._splitter = Splitter()
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._finish: str | None = None
        self._usage: Any = None
        self._model: Any = None
        self._spoke = False
        self._refused = False
        self.heard = self.shown = False

    @property
    def streams(self) -> bool:
        """Whether a stream is wanted."""
        return self._show is not None

    def body(self, raw: bytes) -> None:
        """Read a whole answer. Raises ``Trouble`` or ``ServerError``."""
        if raw.lstrip()[:1] == b"<":
            raise bad_answer(self._where, "a web page")
        self._read(self._parse(raw, "text that is no JSON"))
        if not self._spoke:
            raise bad_answer(self._where, "no text")

    def event(self, data: str) -> bool:
        """Read one event of a stream; return whether it was the last. Raises ``Trouble`` or ``ServerError``."""
        if data.strip() == "[DONE]":
            self._finish = self._finish or "stop"
            return True
        self._read(self._parse(data, "an event that is no JSON"))
        return False

    def completion(self) -> Completion:
        """Return the answer. Raises ``Trouble`` if it ended too early."""
        if self._finish is None:
            raise cut_off(self._where)
        if not self._spoke and self._finish == "stop":
            raise bad_answer(self._where, "no text")
        self._add(self._splitter.feed("", final=True))
        named = isinstance(self._model, str) and self._model != self._asked
        return Completion(
            text="".join(self._text),
            reasoning="".join(self._reasoning).strip(),
            finish_reason="content_filter" if self._refused else _FINISH.get(self._finish, "stop"),
            usage=_usage(self._usage),
            data={"model": self._model} if named else {},
        )

    def _parse(self, data: str | bytes, otherwise: str) -> _Answer:
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            raise bad_answer(self._where, otherwise, again=True) from None
        if isinstance(value, dict) and value.get("error"):
            raise ServerError(value)
        try:
            return _Answer.model_validate(value)
        except ValidationError as error:
            place = ".".join(map(str, error.errors(include_input=False)[0]["loc"])) or "the answer"
            raise bad_answer(self._where, f"JSON of another shape (at {place})") from None

    def _read(self, answer: _Answer) -> None:
        self._usage = answer.usage or self._usage
        self._model = answer.model or self._model
        for choice in answer.choices or ():
            if choice.index == 0:
                self._choose(choice)

    def _choose(self, choice: _Choice) -> None:
        message = choice.message or choice.delta or _Message()
        if choice.message:
            self._finish = "stop"
        self._finish = choice.finish_reason or self._finish
        thought = message.reasoning or message.reasoning_content or ""
        self._refused = self._refused or bool(message.refusal)
        text = message.content or message.refusal or ""
        # A whole answer without content is none; in a stream, content that never comes is an empty text.
        spoke = message.content is not None or choice.delta is not None or bool(thought or text)
        self._spoke = self._spoke or spoke or choice.finish_reason in _FINISH
        self._add(Delta(reasoning=thought))
        self._add(self._splitter.feed(text))

    def _add(self, delta: Delta) -> None:
        if not (delta.text or delta.reasoning):
            return
        self._text.append(delta.text)
        self._reasoning.append(delta.reasoning)
        if self._show:
            self._show(delta)
            self.shown = True


def is_json(text: str) -> bool:
    """Return whether ``text`` is JSON, as a server that honours a schema writes it."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _usage(value: Any) -> Usage:
    counts = value if isinstance(value, dict) else {}
    numbers = (counts.get(name) for name in ("prompt_tokens", "completion_tokens"))
    return Usage(*(number if isinstance(number, int) else 0 for number in numbers))


def model_names(raw: bytes) -> list[str]:
    """Return the names in an answer to ``GET /models``, none if it is no such answer."""
    try:
        listed = json.loads(raw)["data"]
        return [" ".join(model["id"].split())[:100] for model in listed]
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return []
