"""Questions in, answers out: question-answering and visual-question-answering."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, ClassVar

from nlptasks.backends.base import warn_once
from nlptasks.backends.hf.extractive import ExtractiveBackend
from nlptasks.errors import ConfigError, InputError
from nlptasks.pipelines.calling import HARMLESS, Pipeline, Verbatim, is_list, plain
from nlptasks.records import GenerationConfig, Request

PAIR = ("question", "context")
ONE_IMAGE = (str, bytes, os.PathLike)
SEARCH = frozenset(
    "top_k doc_stride max_answer_len max_seq_len max_question_len handle_impossible_answer align_to_words".split()
)
"""How an extractive model looks for answers."""


class QuestionAnsweringPipeline(Pipeline):
    """Answers a question from a context with ``{"score", "start", "end", "answer"}``."""

    def __call__(self, *args: Any, **arguments: Any) -> Any:
        """Return a dict for one question, a list of them for several or with ``top_k`` above 1, else an iterator.

        Takes ``question=`` and ``context=`` (either may be a list), ``{"question", "context"}``, a SquadExample,
        a list of these or a stream of them. ``start`` and ``end`` are characters of the context; a model that
        writes its answer gives no score (nan).

        Raises:
            InputError, ConfigError: the arguments.
            SampleError: a question cannot be answered.
        """
        call = self._call(arguments)
        call.setdefault("top_k", call.pop("topk", None) or 1)
        if call["top_k"] < 1:
            raise ConfigError(f"top_k must be at least 1, not {call['top_k']}.")
        if len(args) == 2 and all(isinstance(each, str) for each in args):
            args = ({"question": args[0], "context": args[1]},)
        inputs = _questions(args, call)
        if is_list(inputs) and len(inputs) == 1:
            [inputs] = inputs
        return self._respond(inputs, partial(self._marked if self.verbatim else self._by_task, call=call))

    @cached_property
    def verbatim(self) -> Verbatim | None:
        return Verbatim("question-answering") if isinstance(self._model.bare, ExtractiveBackend) else None

    def _marked(self, inputs: Iterable[Any], call: Mapping[str, Any]) -> Iterator[Any]:
        """Yield the spans that an extractive model marks."""
        settings = {name: value for name, value in call.items() if name not in HARMLESS}
        config = GenerationConfig(extra=plain({"handle_impossible_answer": False, **settings}))
        fields = map(_fields, inputs)
        requests = (Request((), task="question-answering", fields=each, config=config) for each in fields)
        for record in self._asked(requests):
            best = record.result
            found = best.data.get("alternatives") or [{**best.data, "answer": best.text}]
            answers = [{name: each[name] for name in ("score", "start", "end", "answer")} for each in found]
            yield answers[0] if len(answers) == 1 else answers

    def _by_task(self, inputs: Iterable[Any], call: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the answers of any other model."""
        for name in SEARCH & call.keys() - {"top_k"}:
            warn_once(f"{name} has no effect on a model that writes its answers.")
        options = {name: value for name, value in call.items() if name not in SEARCH}
        for record in self._done(map(_fields, inputs), options):
            context, found = record.sample.input.context[0].text, record.result
            start = context.find(found.answer, found.start or 0) if found.answer else -1
            end = start + len(found.answer)
            if start < 0:
                start, end = found.start or 0, found.end or 0
            score = math.nan if found.score is None else found.score
            yield {"score": score, "start": start, "end": end, "answer": found.answer}


class VisualQuestionAnsweringPipeline(Pipeline):
    """Answers a question about a picture with ``[{"answer": text}]``."""

    task_names: ClassVar[Mapping[str, str]] = {"vqa": "visual-question-answering"}

    def __call__(self, image: Any, question: Any = None, **arguments: Any) -> Any:
        """Return ``[{"answer": text}]`` for one question; a list of these for several, an iterator for a stream.

        ``image`` is a path, an http(s) URL, a data URI, the bytes of a picture or a PIL image. Several pictures
        and questions are all combined, question by question. Instead of both it may be
        ``{"image", "question"}``, a list or a stream of these. A URL is fetched within ``timeout`` (60) seconds.

        Raises:
            InputError: a picture cannot be had.
            SampleError: a question cannot be answered.
        """
        call = self._call(arguments)
        return self._respond(_pictured(image, question), partial(self._by_task, call=call))

    def _by_task(self, inputs: Iterable[Any], call: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
        options = {name: value for name, value in call.items() if name != "top_k"}  # it writes one answer
        rows = (_row(each, call) for each in inputs)
        for record in self._done(rows, options):
            answers = [record.result.answer, *record.completions[-1].data.get("alternatives", ())]
            yield [{"answer": answer.strip()} for answer in answers]


def _questions(args: Sequence[Any], call: dict[str, Any]) -> Any:
    """Take the input out of a call's arguments: a question with its context, or a list or stream of these."""
    data = [call.pop(name) for name in ("X", "data") if name in call]
    question, context = (call.pop(name, None) for name in PAIR)
    if args or data:
        [inputs, *others] = [*args, *data]
        return [inputs, *others] if others else inputs
    if question is None or context is None:
        raise InputError("Give a question and a context: pipe(question='...', context='...').")
    if isinstance(question, str) and isinstance(context, str):
        return {"question": question, "context": context}
    several = question if isinstance(context, str) else context
    questions = [question] * len(several) if isinstance(question, str) else question
    contexts = [context] * len(several) if isinstance(context, str) else context
    if len(questions) != len(contexts):
        raise InputError(f"Give as many contexts as questions, or one: {len(contexts)} for {len(questions)}.")
    return [dict(zip(PAIR, pair, strict=True)) for pair in zip(questions, contexts, strict=True)]


def _fields(item: Any) -> dict[str, str]:
    """Return the question and context of a dict or of a SquadExample."""
    if isinstance(item, Mapping):
        found = {name: item.get(name) for name in PAIR}
    else:
        found = {name: getattr(item, f"{name}_text", None) for name in PAIR}
    for name, value in found.items():
        if not isinstance(value, str) or not value.strip():
            raise InputError(f"The {name} of {item!r:.60} is missing or empty: give a dict of question and context.")
    return {name: str(value) for name, value in found.items()}


def _pictured(image: Any, question: Any) -> Any:
    """Return a picture with its question, or a list or stream of these."""
    if question is None:
        return image
    one_image, one_question = isinstance(image, ONE_IMAGE) or hasattr(image, "convert"), isinstance(question, str)
    images = [image] if one_image else list(image)
    questions = [question] if one_question else question
    pairs = [{"image": each, "question": asked} for asked in questions for each in images]
    return pairs[0] if one_image and one_question else pairs


def _row(item: Any, call: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(item, Mapping) or not {"image", "question"} <= item.keys():
        raise InputError("Give a picture and a question: pipe(image='photo.png', question='...').")
    return {"question": item["question"], "image": _image(item["image"], call)}


def _image(image: Any, call: Mapping[str, Any]) -> Any:
    """Return a picture as bytes, as a path or as a data URI."""
    if hasattr(image, "convert"):
        buffer = io.BytesIO()
        image.convert("RGB").save(buffer, "PNG")
        return buffer.getvalue()
    if isinstance(image, str) and image.startswith(("http://", "https://")):
        return _fetched(image, call.get("timeout", 60))
    return image


def _fetched(url: str, timeout: float) -> bytes:
    import httpx

    try:
        return httpx.get(url, follow_redirects=True, timeout=timeout).raise_for_status().content
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"The picture {url} cannot be fetched ({reason}): give a file.") from None
