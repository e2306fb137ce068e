"""What passes through the narrow waist: plain, frozen, serialisable records.

``sample --task.steps--> Request --backend--> Completion | Failure --task.parse--> prediction``
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length", "content_filter"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation.

    ``images`` holds encoded pictures (PNG, JPEG ...) as bytes: a backend never opens a path or a URL.
    """

    role: Role
    content: str
    images: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """One input of a task: ``input`` is an instance of the task's ``Input`` model.

    ``references`` is None where there are none to compare with; an empty tuple says that no answer is right.
    ``index`` is the row's position in its source, counted from 0; ``row`` is the row as it was read,
    so that columns the task does not know are kept in the output.
    """

    id: str
    input: Any
    references: tuple[Any, ...] | None = None
    index: int = 0
    row: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GenerationConfig:
    """How to generate. A value of None leaves the choice to the backend.

    ``temperature`` 0 is greedy (or beam search with ``num_beams``). ``extra`` goes to the backend as
    it is: arguments of transformers' ``generate``, or members of an OpenAI request body.
    """

    max_new_tokens: int | None = None
    temperature: float = 0.0
    top_p: float = 1.0
    num_beams: int = 1
    stop: tuple[str, ...] = ()
    seed: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def repeatable(self) -> bool:
        """Whether the same request is expected to give the same completion."""
        sampled = self.temperature > 0 or bool(self.extra.get("do_sample"))
        return not sampled or self.seed is not None


@dataclass(frozen=True, slots=True)
class Request:
    """What a task asks of a backend, in chat form *and* as fields.

    ``fields`` (``text``, ``source_lang``, ``target_lang``, ``question``, ``context`` ...) let a model
    that takes no chat (Marian, T5, extractive QA) answer the same request in its own way. ``epoch``
    tells repeated questions apart, ``schema`` is a JSON schema that the answer must fit, and
    ``continuation`` asks for the log-likelihood of that text instead of an answer.
    """

    messages: tuple[Message, ...]
    task: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    config: GenerationConfig = field(default_factory=GenerationConfig)
    epoch: int = 0
    schema: Mapping[str, Any] | None = None
    continuation: str | None = None

    @property
    def images(self) -> tuple[bytes, ...]:
        """The images of all messages, in order."""
        return tuple(image for message in self.messages for image in message.images)

    def map_text(self, change: Callable[[str], str]) -> Request:
        """Return a copy in which ``change`` was applied to every text a backend could read."""
        return replace(
            self,
            messages=tuple(replace(m, content=change(m.content)) for m in self.messages),
            fields={name: change(value) for name, value in self.fields.items()},
            continuation=None if self.continuation is None else change(self.continuation),
        )

    def digest(self) -> str:
        """Return the sha256 of everything in this request, as 64 hex digits."""
        text = json.dumps(self, sort_keys=True, ensure_ascii=False, default=jsonable)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """A backend's answer.

    ``reasoning`` is kept apart from ``text``. ``data`` holds what a family knows beyond the text:
    ``start``, ``end`` (character offsets into the context), ``score`` (0-1), ``loglikelihood`` (nats).
    ``latency`` is in seconds.
    """

    text: str
    reasoning: str = ""
    finish_reason: FinishReason = "stop"
    usage: Usage = field(default_factory=Usage)
    data: Mapping[str, Any] = field(default_factory=dict)
    cached: bool = False
    latency: float = 0.0


@dataclass(frozen=True, slots=True)
class Failure:
    """A request or a sample that could not be answered; ``retryable`` when trying again may help."""

    type: str
    message: str
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of a streamed answer."""

    text: str = ""
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One finished sample: its prediction (an instance of the task's ``Output``) or its failure.

    ``exchanges`` are the requests made for it with their answers, in order; ``seconds`` is the time
    from its first request to its end.
    """

    sample: Sample
    result: Any
    exchanges: tuple[tuple[Request, Completion | Failure], ...] = ()
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether the sample has no prediction."""
        return isinstance(self.result, Failure)

    @property
    def completions(self) -> tuple[Completion, ...]:
        """The answers that were no failures."""
        return tuple(answer for _, answer in self.exchanges if isinstance(answer, Completion))


def total(completions: Iterable[Completion]) -> Usage:
    """Return the tokens of several completions together."""
    used = [one.usage for one in completions]
    return Usage(sum(one.prompt_tokens for one in used), sum(one.completion_tokens for one in used))


def jsonable(value: Any) -> Any:
    """Return one level of a record as an object, and bytes as base64: the ``default`` of ``json.dumps``.

    Raises:
        TypeError: JSON has no form for it, as for a function.
    """
    if names := getattr(type(value), "__dataclass_fields__", None):
        return {name: getattr(value, name) for name in names}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
