"""Question answering: an answer from the given documents, with the place that supports it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, partial
from typing import Any

from pydantic import BaseModel, Field, field_validator

from nlptasks import Completion, Documents, GenerationOptions, Limits, Prompts, Request, Sample, Task
from nlptasks.backends.base import warn_once
from nlptasks.tasks import Steps
from nlptasks_question_answering.citation import NO_ANSWER, Claim, read, support
from nlptasks_question_answering.passages import Context, Passage, whole
from nlptasks_question_answering.retrieval import choose

_TAG = re.compile(r"<(?=/?\s*passage)", re.IGNORECASE)
_WITHHELD = {
    "length": "the model used up its tokens before it answered: raise --max-new-tokens",
    "content_filter": "a content filter withheld the answer: ask otherwise, or choose another model with --model",
}


class Question(BaseModel):
    """A question and the documents to answer it from."""

    question: str = Field(description="What to answer.")
    context: Documents = Field(description="The documents to answer from.")

    @field_validator("question")
    @classmethod
    def _asks(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("the question is empty")
        return value

    @field_validator("context")
    @classmethod
    def _says(cls, value: Documents) -> Documents:
        if not any(document.text.strip() for document in value):
            raise ValueError("the context is empty: give a text, files or a folder with text in them")
        return value


class ReadingOptions(GenerationOptions):
    """How to answer."""

    passages: int = Field(default=8, ge=1, description="Most passages (of some 160 words) to read of a longer context.")
    min_score: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Give no answer where the model scores its answer lower (extractive models do).",
    )


class Answer(BaseModel):
    """The answer, "" where the documents hold none, and what in which document supports it."""

    answer: str
    answered: bool
    score: float | None = Field(default=None, description="The model's own probability (0-1) of its answer.")
    document: str | None = Field(default=None, description="The document that supports the answer.")
    start: int | None = Field(default=None, description="Where in it the support begins, in characters from 0.")
    end: int | None = Field(default=None, description="Where the support ends, exclusive.")
    support: str | None = Field(default=None, description="The text there; null if no document holds it.")


class QuestionAnswering(Task[Question, ReadingOptions, Answer]):
    """Answers from passages: numbered for a model that chats, as one text for a model that marks spans."""

    name = "question-answering"
    Input = Question
    Options = ReadingOptions
    Output = Answer
    prompts = Prompts.load("nlptasks_question_answering")
    reference_column = "answers"
    metrics = ("squad",)

    def prompt(self, sample: Sample, options: ReadingOptions) -> Request:
        return self._ask(sample, options, whole(sample.input.context))

    def parse(self, sample: Sample, completion: Completion) -> Answer:
        return _answer(completion, whole(sample.input.context), sample.input.question)

    def target(self, sample: Sample) -> str:
        if sample.references is None:
            return super().target(sample)
        return str(sample.references[0]) if sample.references else NO_ANSWER

    def notes(self, output: Answer) -> Sequence[str]:
        if not output.answered:
            return ["no answer in what was read of the documents"]
        if output.support is None:
            return ["no document holds this answer: check it"]
        return [f"{output.document}, characters {output.start}-{output.end}: {' '.join(output.support.split())}"]

    def steps(self, sample: Sample, options: ReadingOptions, limits: Limits) -> Steps[Answer]:
        question, documents = sample.input.question, sample.input.context

        ask = cache(partial(self._ask, sample, options))
        context = choose(question, documents, options.passages, lambda context: limits.fits(ask(context)))
        [completion] = yield [ask(context)]
        return _answer(completion, context, question, options.min_score)

    def _ask(self, sample: Sample, options: ReadingOptions, context: Context) -> Request:
        question = sample.input.question
        # A text that closes its own tag could pass for something the user says.
        shown = [{"name": p.name, "text": _TAG.sub("‹", p.text)} for p in context.passages]
        return Request(
            self.active_prompts.render(question=question, passages=shown, no_answer=NO_ANSWER),
            task=self.name,
            fields={"question": question, "context": context.text},
            config=options.generation(),
            schema=options.schema_object(),
        )


def _answer(completion: Completion, context: Context, question: str, least: float = 0.0) -> Answer:
    if not completion.text.strip() and completion.finish_reason != "stop":
        raise ValueError(_WITHHELD[completion.finish_reason])
    score = _fact(completion, "score", (int, float))
    if least and score is None:
        warn_once("This model gives its answers no score, so min_score changes nothing.")
    marked = _marked(completion, context)
    claim = Claim(marked.text) if marked else read(completion.text)
    if not claim.answer or (score is not None and score < least):
        return Answer(answer="", answered=False, score=score)
    answer = Answer(answer=claim.answer, answered=True, score=score)
    if place := marked or support(claim, context, question):
        answer.document, answer.start, answer.end, answer.support = place.name, place.start, place.end, place.text
    return answer


def _marked(completion: Completion, context: Context) -> Passage | None:
    """Return the span that the model marked; None if it marks none, or a guard changed the text it was marked in."""
    start, end = (_fact(completion, name, int) for name in ("start", "end"))
    if not completion.text or start is None or end is None:
        return None
    place = context.part(start, end)
    return place if place and place.text == completion.text else None


def _fact(completion: Completion, name: str, kind: type | tuple[type, ...]) -> Any:
    """Return a fact of the model's family, None where it gives none, or something else by that name."""
    value = completion.data.get(name)
    return value if isinstance(value, kind) else None
