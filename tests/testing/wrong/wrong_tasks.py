"""A right task, and what an author may get wrong about one: each class in one way."""
# mypy: ignore-errors

from __future__ import annotations

import json
from collections.abc import Callable

from pydantic import BaseModel, Field, field_serializer

from nlptasks import GenerationOptions, Message, Request, Task


class Text(BaseModel):
    text: str = Field(description="The text.")


class Shout(BaseModel):
    shout: str


class RightTask(Task):
    name = "right-task"
    Input = Text
    Options = GenerationOptions
    Output = Shout
    streaming = True

    def prompt(self, sample, options):
        text = sample.input.text
        return Request((Message("user", text),), self.name, {"text": text}, options.generation())

    def parse(self, sample, completion):
        return Shout(shout=completion.text)


class Renamed(RightTask):
    name = "another"


class NumberedVersion(RightTask):
    name = "numbered-version"
    version = 2


class PlainInput(RightTask):
    name = "plain-input"
    Input = dict


class NoOutputField(RightTask):
    name = "no-output-field"

    class Output(BaseModel):
        pass


class Undescribed(RightTask):
    class Input(BaseModel):
        text: str


class NoFlag(RightTask):
    class Input(BaseModel):
        text: dict[str, str] = Field(description="The text.", examples=[{"a": "b"}])


class Uneven(RightTask):
    class Input(Text):
        @field_serializer("text")
        def _louder(self, text):
            return text + "!"


class NoSchema(RightTask):
    class Options(GenerationOptions):
        clean: Callable[[str], str] = Field(default=str.strip, description="What cleans the text.")


class Counting(RightTask):
    count = 0

    def prompt(self, sample, options):
        self.count += 1
        asked = super().prompt(sample, options)
        return asked.map_text(lambda text: f"{self.count}. {text}")


class Changing(RightTask):
    def prompt(self, sample, options):
        asked = super().prompt(sample, options)
        sample.input.text = sample.input.text.upper()
        return asked if sample.input.text.isupper() else None


class NamelessRequest(RightTask):
    def prompt(self, sample, options):
        return Request((Message("user", sample.input.text),), config=options.generation())


class NoMessage(RightTask):
    def prompt(self, sample, options):
        return Request((), self.name, {"text": sample.input.text}, options.generation())


class NumberField(RightTask):
    def prompt(self, sample, options):
        return Request((Message("user", sample.input.text),), self.name, {"length": 3}, options.generation())


class Silent(RightTask):
    def steps(self, sample, options, limits):
        return Shout(shout=sample.input.text)
        yield


class DeafToOptions(RightTask):
    def prompt(self, sample, options):
        return Request((Message("user", sample.input.text),), self.name, {"text": sample.input.text})


class MadeUpTarget(RightTask):
    def target(self, sample):
        return ""


class ListedTarget(RightTask):
    def target(self, sample):
        return list(sample.references)


class TextOutput(RightTask):
    def parse(self, sample, completion):
        return completion.text


class Trusting(RightTask):
    def parse(self, sample, completion):
        try:
            return Shout(shout=json.loads(completion.text)["shout"])
        except json.JSONDecodeError:
            return Shout(shout=completion.text)


class Resentful(RightTask):
    failed = False

    def steps(self, sample, options, limits):
        done = False
        try:
            [completion] = yield [self.prompt(sample, options)]
            done = True
        finally:
            self.failed = self.failed or not done
        if self.failed:
            raise RuntimeError("never again")
        return self.parse(sample, completion)


class Remembering(RightTask):
    said = 0

    def parse(self, sample, completion):
        self.said += 1
        return Shout(shout=f"{completion.text} {self.said}")


class OtherwiseStreamed(RightTask):
    def parse(self, sample, completion):
        return Shout(shout=completion.text.upper())


class UnknownMetric(RightTask):
    metrics = ("rogue",)


class OneMetric(RightTask):
    metrics = "rouge"


class NotATask:
    pass
