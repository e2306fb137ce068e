"""Which family a model belongs to, read from its config through transformers' own tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nlptasks.backends.hf.loading import SELECTION
from nlptasks.errors import ModelError

if TYPE_CHECKING:
    from nlptasks.backends.hf.backend import HFBackend
    from nlptasks.backends.hf.loading import Source


def backend_class(source: Source, config: Any) -> type[HFBackend]:
    """Return the backend for the model's architecture. Raises ModelError for one of no family of ours."""
    from nlptasks.backends.hf.causal import CausalBackend
    from nlptasks.backends.hf.extractive import ExtractiveBackend
    from nlptasks.backends.hf.selection import SelectionBackend
    from nlptasks.backends.hf.seq2seq import Seq2SeqBackend
    from nlptasks.backends.hf.vision import VisionBackend

    if config.model_type == SELECTION:
        return SelectionBackend
    # Vision first: its table shares names with the others, and what sees images can also read text.
    families: tuple[type[HFBackend], ...] = (VisionBackend, ExtractiveBackend, Seq2SeqBackend, CausalBackend)
    architectures = set(getattr(config, "architectures", None) or ())
    for family in families:
        if architectures & set(_table(family).values()) or family.auto_class in _remote_classes(config):
            return family
    if not architectures:
        for family in families:
            if family is not ExtractiveBackend and config.model_type in _table(family):
                return family
    kind = ", ".join(sorted(architectures)) or config.model_type
    raise ModelError(
        f"{source.model!r} is a {kind}, which neither writes text nor finds answers in it: "
        "choose a causal, sequence-to-sequence, question-answering or image-text-to-text model."
    )


def _table(family: type[HFBackend]) -> dict[str, str]:
    from transformers.models.auto import modeling_auto

    names: dict[str, str] = getattr(modeling_auto, family.mapping)
    return names


def _remote_classes(config: Any) -> set[str]:
    return set(getattr(config, "auto_map", None) or ())
