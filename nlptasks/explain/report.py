"""An explanation as what JSON knows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from nlptasks.explain.choice import Choice
from nlptasks.explain.explanation import Explanation, links

if TYPE_CHECKING:
    from nlptasks.explain.attention import Part
    from nlptasks.explain.steps import Steps

PLACES = 6
"""Decimal places of numbers."""


def to_dict(explanation: Explanation, parts: Iterable[Part], choice: Choice) -> dict[str, Any]:
    """Return all that was shown: tokens, and the weights of the chosen heads of ``parts``."""
    spans = {"spans": asdict(explanation.spans)} if explanation.spans else {}
    facts = {"model": explanation.model, "architecture": explanation.architecture, "family": explanation.family}
    return {
        **facts,
        "text": explanation.text,
        **explanation.facts,
        **spans,
        "parts": [_part(part, choice) for part in parts],
    }


def _part(part: Part, choice: Choice) -> dict[str, Any]:
    attention = [
        {"layer": layer, "head": head, "weights": plain_numbers(part.layers[layer].weights[head])}
        for layer, head in choice.pairs(part)
    ]
    found = {
        "name": part.name,
        "says": part.says,
        "layers": len(part.layers),
        "heads": part.heads,
        "queries": [asdict(token) for token in part.queries],
        "keys": [asdict(token) for token in part.keys],
        "attention": attention,
    }
    if part.name == "cross":
        found["words"] = [asdict(link) for link in links(part, choice.mean(part))]
    return found


def steps_to_dict(steps: Steps) -> dict[str, Any]:
    """Return the numbers of one position; hidden tokens are left out."""
    keys = [
        {
            **asdict(steps.tokens[place]),
            "key": plain_numbers(steps.keys[place]),
            "product": plain_numbers(steps.products[place]),
            "bias": plain_numbers(steps.bias[place]),
            "score": plain_numbers(steps.scores[place]),
            "weight": plain_numbers(steps.weights[place]),
            "value": plain_numbers(steps.values[place]),
        }
        for place in steps.visible
    ]
    return {
        "layer": steps.layer,
        "head": steps.head,
        "position": steps.token.position,
        "scale": steps.scale,
        "exact": steps.exact,
        "query": plain_numbers(steps.query),
        "keys": keys,
        "sum": plain_numbers(steps.sum),
    }


def plain_numbers(numbers: Any) -> Any:
    """Return an array, or one number of it, as floats of a few decimal places."""
    return numbers.round(PLACES).tolist()
