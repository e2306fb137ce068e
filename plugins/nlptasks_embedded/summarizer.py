"""Which sentences of a document make its summary: by an encoder in the languages it knows, elsewhere by their features.

The second needs no torch, and so answers at once.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlptasks.selection import Document

if TYPE_CHECKING:
    from nlptasks.selection.terms import Vector

WEIGHTS = Path(__file__).parent / "weights" / "summarization"
"""A model of the family ``sentence selection``, as ``nlptasks train summarization`` writes it."""


def scores(document: Document) -> Vector:
    """Return for each sentence the log-odds of its standing in a summary."""
    found: Vector = _model().scores(document) if document.language in _languages() else document.features @ _general()
    return found


@cache
def _languages() -> frozenset[str]:
    config = json.loads((WEIGHTS / "config.json").read_text("utf-8"))
    return frozenset(config["languages"] if config["encoder"] else ())


@cache
def _general() -> Vector:
    from safetensors import safe_open

    [file] = WEIGHTS.glob("*.safetensors")
    with safe_open(file, "numpy") as weights:
        general: Vector = weights.get_tensor("general").astype("float32")
    return general


@cache
def _model() -> Any:
    from nlptasks.backends.hf import Options, load

    return load(str(WEIGHTS), Options())
