"""What Presidio recognizes, where it is installed: wallets, network addresses, licences and more kinds of numbers."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

from nlptasks_pii.found import Found

LEFT_OUT = ("EmailRecognizer", "UrlRecognizer", "DateRecognizer")
"""The first asks the network for top-level domains; the others tell of no one."""
LEAST_SCORE = 0.4
"""Below it are forms that any number has."""


def find(text: str) -> list[Found]:
    """Return what Presidio finds in ``text``; nothing where it is not installed."""
    if find_spec("presidio_analyzer") is None:
        return []
    found = _analyzer().analyze(text, "en", score_threshold=LEAST_SCORE)
    return [Found(one.start, one.end, one.entity_type) for one in found]


@cache
def _analyzer() -> Any:
    """Build the analyzer, with the recognizers that need no language model: they work in any language."""
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NoOpNlpEngine

    engine = NoOpNlpEngine([{"lang_code": "en", "model_name": "none"}])
    registry = RecognizerRegistry(supported_languages=["en"])
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=engine)
    for name in LEFT_OUT:
        registry.remove_recognizer(name)
    return AnalyzerEngine(registry=registry, nlp_engine=engine)
