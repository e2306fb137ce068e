"""Text generation: the plain continuation of a text."""

from __future__ import annotations

from pydantic import BaseModel, Field, field_validator

from nlptasks import Completion, ConfigError, GenerationOptions, Message, Prompts, Request, Sample, Task


class Beginning(BaseModel):
    """A text to continue."""

    prompt: str = Field(description="The text to continue, taken exactly as it is.")

    @field_validator("prompt")
    @classmethod
    def _begins(cls, value: str) -> str:
        if not value:
            raise ValueError("the prompt is empty: give the beginning of a text")
        return value


class Continuation(BaseModel):
    """What follows, without the beginning."""

    text: str


class TextGeneration(Task[Beginning, GenerationOptions, Continuation]):
    """Hands the text over character for character: a space at its end changes what follows."""

    name = "text-generation"
    Input = Beginning
    Options = GenerationOptions
    Output = Continuation
    plain = True
    streaming = True

    def __init__(self, prompts: Prompts | None = None) -> None:
        if prompts not in (None, self.prompts):
            raise ConfigError("text-generation continues a text as it stands: leave out --prompt and --system.")
        super().__init__()

    def prompt(self, sample: Sample, options: GenerationOptions) -> Request:
        text = sample.input.prompt
        return Request(
            (Message("user", text),),
            task=self.name,
            fields={"text": text},
            config=options.generation(),
            schema=options.schema_object(),
        )

    def target(self, sample: Sample) -> str:
        return super().target(sample) if sample.references else str(sample.input.prompt)

    def parse(self, sample: Sample, completion: Completion) -> Continuation:
        return Continuation(text=completion.text)
