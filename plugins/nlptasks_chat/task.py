"""Chat: the reply to a message, given the conversation before it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial

from pydantic import AliasChoices, BaseModel, Field, model_validator
from typing_extensions import Self

from nlptasks import Completion, GenerationOptions, Images, Limits, Message, Prompts, Request, Sample, Task
from nlptasks.records import FinishReason, Role
from nlptasks.tasks import Steps


class Turn(BaseModel):
    """One turn of a conversation."""

    role: Role
    content: str
    images: Images = Field(default=(), validation_alias=AliasChoices("images", "image"))


class Conversation(BaseModel):
    """A message with the turns before it; or turns alone, the last of them the user's.

    Once validated, ``message`` and ``images`` are the user's, ``messages`` is what went before, and ``turns`` what
    the user says in between.
    """

    message: str = Field(default="", description="What to say.", examples=["Who wrote the letter?"])
    messages: tuple[Turn, ...] = Field(
        default=(), description="The conversation so far, as a list of role and content."
    )
    images: Images = Field(
        default=(), validation_alias=AliasChoices("images", "image"), description="Pictures that go with the message."
    )
    turns: tuple[Turn, ...] = Field(
        default=(), description="What the user says one after the other, each replied to before the next; no message."
    )

    @model_validator(mode="after")
    def _ends_with_the_user(self) -> Self:
        if any(turn.role != "user" for turn in self.turns):
            raise ValueError("turns are the user's alone: what went before goes into messages")
        if "message" not in self.model_fields_set and self.turns:
            *between, last = self.turns
            self.message, self.images, self.turns = last.content, last.images, tuple(between)
        elif "message" not in self.model_fields_set and not self.images and self.messages:
            *before, last = self.messages
            if last.role != "user":
                raise ValueError(f"messages must end with the user's, not with one of role {last.role!r}")
            self.message, self.images, self.messages = last.content, last.images, tuple(before)
        if not self.message.strip() and not self.images:
            raise ValueError("the message is empty")
        return self


class Reply(BaseModel):
    """The reply. ``dropped`` turns at the beginning of the conversation were left out to fit the model."""

    reply: str
    reasoning: str = ""
    finish_reason: FinishReason = "stop"
    dropped: int = 0


class Chat(Task[Conversation, GenerationOptions, Reply]):
    """One turn: the system prompt, the turns before as far as they fit, the user's message."""

    name = "chat"
    Input = Conversation
    Options = GenerationOptions
    Output = Reply
    prompts = Prompts.load("nlptasks_chat")
    metrics = ("rouge", "chrf", "distinct_n")
    streaming = True

    def prompt(self, sample: Sample, options: GenerationOptions) -> Request:
        return self._ask(sample, options, dropped=0)

    def streams(self, sample: Sample) -> bool:
        return not sample.input.turns  # the replies in between are none of the output

    def parse(self, sample: Sample, completion: Completion) -> Reply:
        return Reply(reply=completion.text, reasoning=completion.reasoning, finish_reason=completion.finish_reason)

    def notes(self, output: Reply) -> Sequence[str]:
        cut = ["the reply is cut off: raise --max-new-tokens"] if output.finish_reason == "length" else []
        left_out = [f"left out to fit the model: the first {output.dropped} turns"] if output.dropped else []
        return [*left_out, *cut]

    def steps(self, sample: Sample, options: GenerationOptions, limits: Limits) -> Steps[Reply]:
        said = sample.input
        for turn in said.turns:
            asked = {"message": turn.content, "images": turn.images}
            given = yield from self._reply(replace(sample, input=said.model_copy(update=asked)), options, limits)
            history = (*said.messages, turn, Turn(role="assistant", content=given.reply))
            said = said.model_copy(update={"messages": history})
        return (yield from self._reply(replace(sample, input=said), options, limits))

    def _reply(self, sample: Sample, options: GenerationOptions, limits: Limits) -> Steps[Reply]:
        cuts = _cuts(_history(sample.input))
        ask = cache(partial(self._ask, sample, options))
        kept = bisect_left(cuts[:-1], True, key=lambda cut: limits.fits(ask(cut)))
        [completion] = yield [ask(cuts[kept])]
        return self.parse(sample, completion).model_copy(update={"dropped": cuts[kept]})

    def _ask(self, sample: Sample, options: GenerationOptions, dropped: int) -> Request:
        """Return the request without the first ``dropped`` turns of the history."""
        said = sample.input
        *system, user = self.active_prompts.render(message=said.message)
        return Request(
            (*(system or _system(said)), *_history(said)[dropped:], Message(user.role, user.content, said.images)),
            task=self.name,
            fields={"text": said.message},
            config=options.generation(),
            schema=options.schema_object(),
        )


def _system(said: Conversation) -> list[Message]:
    return [Message(turn.role, turn.content, turn.images) for turn in said.messages if turn.role == "system"]


def _history(said: Conversation) -> list[Message]:
    return [Message(turn.role, turn.content, turn.images) for turn in said.messages if turn.role != "system"]


def _cuts(history: Sequence[Message]) -> list[int]:
    """Return how many turns may be dropped: what is left begins with the user, as chat templates demand."""
    return [0, *(i for i, turn in enumerate(history) if i and turn.role == "user"), len(history)]
