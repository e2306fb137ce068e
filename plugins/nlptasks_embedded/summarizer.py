"""Summaries: sentences chosen by an encoder in the languages it knows, elsewhere by their features.

The second needs no torch, and so answers at once.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from nlptasks import Completion, Request
from nlptasks.selection import Document, Shape, summarize
from nlptasks_embedded.ignored import ignored
from nlptasks_embedded.parts import Parts

if TYPE_CHECKING:
    from nlptasks.selection.terms import Vector

TASK = "summarization"


def summary(request: Request, parts: Parts) -> Completion:
    """Return the summary that a request asks for, in sentences of its text."""
    document = Document.read(request.fields["text"], request.fields.get("query", ""))
    shape = Shape.of(request.fields, request.config.max_new_tokens)
    chosen = summarize(document, shape, lambda document: scores(document, parts))
    wanted = request.fields.get("lang", "").partition("-")[0]
    other = ["language"] if wanted and wanted != document.language else []
    return Completion(chosen, data=ignored(request, other, but="max_new_tokens"))


def scores(document: Document, parts: Parts) -> Vector:
    """Return for each sentence the log-odds of its standing in a summary."""
    if parts.speaks(TASK, document.language):
        found: Vector = parts.model(TASK).scores(document)
        return found
    return document.features @ _general(parts.folder / TASK)


@cache
def _general(folder: Path) -> Vector:
    from safetensors import safe_open

    [file] = folder.glob("*.safetensors")
    with safe_open(file, "numpy") as weights:
        general: Vector = weights.get_tensor("general").astype("float32")
    return general
