"""An explanation as one HTML page that needs nothing beside it: no network, no other file."""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from nlptasks.errors import UsageError
from nlptasks.explain.choice import Choice
from nlptasks.explain.explanation import Explanation, links

if TYPE_CHECKING:
    from nlptasks.explain.attention import Part

LARGEST = 32_000_000
"""Most characters of numbers in a page: more would make a browser slow."""


def page(explanation: Explanation, choice: Choice) -> str:
    """Return the page, with the chosen heads of every part.

    Raises:
        UsageError: it would be too large.
    """
    from jinja2 import Environment, PackageLoader

    from nlptasks.text import detect_language

    parts = [_part(part, choice) for part in explanation.parts]
    size = sum(len(text) for part in parts for head in part["attention"] for text in head.values() if text)
    if size > LARGEST:
        raise UsageError(f"The page would take {size / 1e6:.0f} MB: choose what it shows with --layer and --head.")
    data = {
        "model": explanation.model,
        "architecture": explanation.architecture,
        "text": explanation.text,
        "facts": explanation.facts,
        "spans": asdict(explanation.spans) if explanation.spans else None,
        "parts": parts,
    }
    environment = Environment(loader=PackageLoader("nlptasks.explain"), autoescape=True)
    language = detect_language(explanation.text) or "en"
    return environment.get_template("page.html").render(data=data, language=language)


def _part(part: Part, choice: Choice) -> dict[str, Any]:
    heads = choice.pairs(part)
    return {
        "name": part.name,
        "says": part.says,
        "queries": [asdict(token) for token in part.queries],
        "keys": [asdict(token) for token in part.keys],
        "heads": heads,
        "scales": [_scale(part, layer) for layer, _ in heads],
        "attention": [_head(part, layer, head) for layer, head in heads],
        "words": [asdict(link) for link in links(part, choice.mean(part))] if part.name == "cross" else None,
    }


def _scale(part: Part, layer: int) -> float | None:
    vectors = part.layers[layer].vectors
    return vectors.scale if vectors else None


def _head(part: Part, layer: int, head: int) -> dict[str, str | None]:
    """Return the arrays of one head, packed; ``bias`` only where it does more than hide what comes later."""
    import numpy as np

    found, vectors = part.layers[layer], part.layers[layer].vectors
    packed: dict[str, str | None] = {"weights": _packed(found.weights[head])}
    if vectors:
        arrays = {"queries": vectors.queries, "keys": vectors.keys, "values": vectors.values, "sums": vectors.sums}
        packed |= {name: _packed(array[head]) for name, array in arrays.items()}
        visible = np.isfinite(vectors.bias[head])
        packed["bias"] = _packed(vectors.bias[head]) if vectors.bias[head][visible].any() else None
    return packed


def _packed(array: Any) -> str:
    """Return numbers as base64 of little-endian float32, row by row."""
    return base64.b64encode(array.astype("<f4").tobytes()).decode("ascii")
