"""Log-likelihood: how probable a model finds a given text, the ground that perplexity stands on."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator

from nlptasks import Completion, ConfigError, Message, Prompts, Request, Sample, Task


class Scored(BaseModel):
    """A text to score, and what comes before it."""

    text: str = Field(description="The text to score, taken exactly as it is.")
    context: str = Field(default="", description="What comes before the text.")

    @field_validator("text")
    @classmethod
    def _says_something(cls, value: str) -> str:
        if not value:
            raise ValueError("the text is empty: there is nothing to score")
        return value


class NoOptions(BaseModel):
    """Nothing is generated, so there is nothing to choose."""

    model_config = ConfigDict(extra="forbid")


class Likelihood(BaseModel):
    """The natural logarithm of the text's probability, and the text's length in tokens of the model, words and bytes.

    Words are what ``re.split(r"\\s+", text)`` gives and bytes are UTF-8, as lm-evaluation-harness counts them.
    """

    loglikelihood: float
    tokens: int
    words: int
    bytes: int


class LogLikelihood(Task[Scored, NoOptions, Likelihood]):
    """Asks for the log-likelihood of the text: on a base model after the bare context, else as the reply to it."""

    name = "loglikelihood"
    Input = Scored
    Options = NoOptions
    Output = Likelihood
    metrics = ("perplexity",)

    def __init__(self, prompts: Prompts | None = None) -> None:
        if prompts not in (None, self.prompts):
            raise ConfigError("loglikelihood scores a text as it stands: leave out --prompt and --system.")
        super().__init__()

    def prompt(self, sample: Sample, options: NoOptions) -> Request:
        asked = sample.input
        return Request(
            (Message("user", asked.context),), task=self.name, fields={"text": asked.text}, continuation=asked.text
        )

    def parse(self, sample: Sample, completion: Completion) -> Likelihood:
        if "loglikelihood" not in completion.data:
            raise ValueError("this model gives no log-likelihoods: choose a local causal one, --model hf/...")
        text = sample.input.text
        return Likelihood(
            loglikelihood=completion.data["loglikelihood"],
            tokens=completion.data["tokens"],
            words=len(re.split(r"\s+", text)),
            bytes=len(text.encode()),
        )
