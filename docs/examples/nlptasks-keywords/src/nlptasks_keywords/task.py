"""The task: its input, options and output, what it asks, and how it reads the answer."""

from __future__ import annotations

import re

from pydantic import BaseModel, Field

from nlptasks import Completion, GenerationOptions, Prompts, Request, Sample, Task, Text
from nlptasks.tasks import unclosable_tag

SEPARATOR = "; "
_SPLIT = re.compile(r"[;；,，、\n]")
_MARK = re.compile(r"^\s*(?:[-*•]|\d+[.)、])\s*")


class KeywordsInput(BaseModel):
    """What to read."""

    text: Text = Field(description="The text to find keywords of.")


class KeywordsOptions(GenerationOptions):
    """How many keywords to find."""

    max_keywords: int = Field(default=8, ge=1, description="Most keywords to find.")


class KeywordsOutput(BaseModel):
    """The keywords, the most important first."""

    keywords: str = Field(description="The keywords, with '; ' between them.")


class Keywords(Task[KeywordsInput, KeywordsOptions, KeywordsOutput]):
    """Name what a text is about, in its own language."""

    name = "keywords"
    Input = KeywordsInput
    Options = KeywordsOptions
    Output = KeywordsOutput
    prompts = Prompts.load("nlptasks_keywords")
    reference_column = "keywords"
    metrics = ("keyword_f1",)

    def prompt(self, sample: Sample, options: KeywordsOptions) -> Request:
        text, most = sample.input.text, options.max_keywords
        return Request(
            self.active_prompts.render(text=text, tag=unclosable_tag("text", text), max_keywords=most),
            task=self.name,
            fields={"text": text},
            config=options.generation(),
            schema=options.schema_object(),
        )

    def parse(self, sample: Sample, completion: Completion) -> KeywordsOutput:
        found = [_MARK.sub("", part).strip(" .。") for part in _SPLIT.split(completion.text)]
        return KeywordsOutput(keywords=SEPARATOR.join(dict.fromkeys(filter(None, found))))

    def target(self, sample: Sample) -> str:
        super().target(sample)  # refuses a sample without references
        return SEPARATOR.join(sample.references or ())
