"""The pipelines that transformers 5 no longer has, called as in transformers 4.

Code written for transformers 4 runs on after ``from nlptasks import pipeline``.
"""

from __future__ import annotations

import re
from typing import Any

from nlptasks.backends.hf.extractive import ExtractiveBackend
from nlptasks.backends.hf.seq2seq import Seq2SeqBackend
from nlptasks.backends.hf.vision import VisionBackend
from nlptasks.errors import UnknownNameError, UsageError
from nlptasks.pipelines.answers import QuestionAnsweringPipeline, VisualQuestionAnsweringPipeline
from nlptasks.pipelines.calling import Pipeline
from nlptasks.pipelines.loading import Model, load
from nlptasks.pipelines.text import TextPipeline

KINDS: dict[str, type[Pipeline]] = {
    "summarization": TextPipeline,
    "translation": TextPipeline,
    "text2text-generation": TextPipeline,
    "question-answering": QuestionAnsweringPipeline,
    "visual-question-answering": VisualQuestionAnsweringPipeline,
    "vqa": VisualQuestionAnsweringPipeline,
}
PAIR = re.compile(r"translation_[^_]+_to_[^_]+")


def pipeline(task: str | None = None, model: Any = None, **arguments: Any) -> Pipeline:
    """Return a pipeline for ``task``, with the arguments and results of transformers 4.

    Args:
        task: ``"summarization"``, ``"translation"``, ``"translation_en_to_de"`` (any two languages),
            ``"text2text-generation"``, ``"question-answering"`` or ``"visual-question-answering"`` (``"vqa"``).
            Without it, the kind of ``model`` decides.
        model: what transformers takes, or one of our own names; None is the configured default. In this order:

            1. a model object of transformers, with its ``tokenizer=``, or a Backend;
            2. a folder with a ``config.json``: ``"./my-model"``; such a folder wins whatever its name is;
            3. ``provider/model`` where that provider is registered: ``"openai/gpt-4o-mini"``, ``"embedded"``;
            4. a model on the hub: ``"facebook/bart-large-cnn"``. If its owner is called like a provider, write
               ``hf/`` before it: ``"hf/openai/whisper-tiny"``.
        arguments: the loading arguments of transformers (``tokenizer``, ``device``, ``device_map``, ``dtype`` or
            ``torch_dtype``, ``revision``, ``trust_remote_code``, ``model_kwargs`` ...), options of the backend
            (``base_url`` ...), and defaults for every call (``max_length``, ``src_lang``, ``top_k`` ...).
            What has no effect here is warned of once, unless it only makes things faster or slower.

    An encoder-decoder or extractive model reads exactly what transformers 4 gave it, and generates with the
    settings of its checkpoint or else with transformers 4's (4 beams). Any other model, such as a chat model,
    does the registered task of that name.

    Raises:
        UnknownNameError, UsageError: the task.
        ConfigError, UnsupportedError: an argument.
        BackendError: the model.
    """
    if task is not None and task not in KINDS and not PAIR.fullmatch(task):
        known = [*KINDS, "translation_xx_to_yy"]
        raise UnknownNameError("pipeline", task, known, "All other pipelines are still in transformers itself.")
    loaded = load(model, arguments)
    task = task or _task_of(loaded)
    return KINDS["translation" if PAIR.fullmatch(task) else task](task, loaded)


def _task_of(model: Model) -> str:
    """Return what a model is made for."""
    if isinstance(model.bare, ExtractiveBackend):
        return "question-answering"
    if isinstance(model.bare, VisionBackend):
        return "visual-question-answering"
    if isinstance(model.bare, Seq2SeqBackend):
        return "translation" if model.bare.tasks else "text2text-generation"
    raise UsageError("Say what the model is to do, as in pipeline('summarization', model=...).")
