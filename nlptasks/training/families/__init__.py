"""How each family of local models learns: one file per family, chosen by the model and the task."""

from __future__ import annotations

from typing import Any

from nlptasks.backends.hf.families import backend_class
from nlptasks.backends.hf.loading import Source
from nlptasks.errors import ModelError, UnsupportedError
from nlptasks.training.families.base import Family


def family_class(source: Source, config: Any, task: str) -> type[Family]:
    """Return the family that teaches ``task`` to a model; a bare encoder is given the head that the task needs.

    Raises:
        ModelError, UnsupportedError: the model is of no family, or cannot learn this task.
    """
    try:
        name = backend_class(source, config).__name__
    except ModelError:
        name = ENCODER_HEADS.get(task, "")
        if not name or not is_encoder(config):
            raise
    if name not in FAMILIES:
        raise UnsupportedError(f"{source.model!r} cannot be trained here: choose a model that reads text alone.")
    family = _load(FAMILIES[name])
    if family.tasks is not None and task not in family.tasks:
        able = ", ".join(sorted(family.tasks))
        raise UnsupportedError(f"{source.model!r} learns {able} only, not {task}: choose another with --model.")
    return family


FAMILIES = {
    "CausalBackend": "causal:CausalFamily",
    "Seq2SeqBackend": "seq2seq:Seq2SeqFamily",
    "ExtractiveBackend": "extractive:ExtractiveFamily",
    "SelectionBackend": "selection:SelectionFamily",
}
"""By the backend that answers with their models."""
ENCODER_HEADS = {"question-answering": "ExtractiveBackend", "summarization": "SelectionBackend"}
"""What a bare encoder becomes."""


def is_encoder(config: Any) -> bool:
    """Return whether a config is that of a text encoder that can be given a head."""
    from transformers.models.auto import modeling_auto

    return config.model_type in modeling_auto.MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES


def _load(target: str) -> type[Family]:
    from importlib import import_module

    module, _, name = target.partition(":")
    family: type[Family] = getattr(import_module(f"{__name__}.{module}"), name)
    return family
