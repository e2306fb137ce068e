"""A conversation as OpenAI's clients send it."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

ROLES = {"developer": "system"}


class Link(BaseModel):
    """A picture as a data URI."""

    url: str


class Part(BaseModel):
    """A piece of a message."""

    type: Literal["text", "image_url"]
    text: str = ""
    image_url: Link | None = None


class Turn(BaseModel):
    """One message of the conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part] = ""

    def as_input(self) -> dict[str, Any]:
        """Return it as the chat task takes it."""
        parts = [Part(type="text", text=self.content)] if isinstance(self.content, str) else self.content
        return {
            "role": ROLES.get(self.role, self.role),
            "content": "\n".join(part.text for part in parts if part.type == "text"),
            "images": [part.image_url.url for part in parts if part.image_url],
        }


class Wanted(BaseModel):
    """The shape of an answer: free text, or JSON that fits a schema."""

    type: Literal["text", "json_schema"]
    json_schema: dict[str, Any] | None = None


class StreamOptions(BaseModel):
    """What a stream tells beside the text."""

    include_usage: bool = False


class Asked(BaseModel):
    """The body of a request; what is not named here and has no effect on an answer is ignored."""

    model_config = ConfigDict(title="ChatCompletionRequest")

    model: str
    messages: list[Turn] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    seed: int | None = None
    stop: str | list[str] | None = None
    response_format: Wanted | None = None
    n: Literal[1] | None = None

    def options(self) -> dict[str, Any]:
        """Return the options of the chat task; what is not given is left to the task."""
        wanted = self.response_format.json_schema if self.response_format else None
        given = {
            "max_new_tokens": self.max_completion_tokens or self.max_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "seed": self.seed,
            "stop": [self.stop] if isinstance(self.stop, str) else self.stop,
            "schema": None if wanted is None else json.dumps(wanted.get("schema", wanted)),
        }
        return {name: value for name, value in given.items() if value is not None}
