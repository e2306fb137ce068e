"""What metrics with rules of their own for a language share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from nlptasks.errors import UnknownNameError
from nlptasks.metrics.base import Metric
from nlptasks.text import detect_language, language_code


class LanguageMetric(Metric):
    """A metric whose rules depend on the language of the texts.

    Raises:
        UnknownNameError: ``lang`` is no language.
    """

    divisible = True

    def __init__(self, *, lang: str | None = None) -> None:
        super().__init__(lang=lang if lang in (None, "und") else language_code(lang))
        self._scored_in = self.lang

    @property
    def signature_parts(self) -> Mapping[str, str]:
        return {"lang": self._scored_in or "auto"}

    def language(self, references: Sequence[Sequence[str]]) -> str:
        """Return the primary code of the language to score in; detect it over all references if none was given."""
        self._scored_in = self.lang or detect_language("\n".join(text for texts in references for text in texts))
        return primary(self._scored_in)


def primary(lang: str) -> str:
    """Return the language of a BCP-47 code without its script and region: "zh" for "zh-Hant"."""
    return lang.partition("-")[0].lower()


def one_of(what: str, value: str, known: Iterable[str]) -> str:
    """Return ``value`` if it is known.

    Raises:
        UnknownNameError: it is not.
    """
    choices = list(known)
    if value not in choices:
        raise UnknownNameError(what, value, choices, f"Choose from {', '.join(choices)}.")
    return value


def paired(
    name: str, predictions: Sequence[str], references: Sequence[Sequence[str]]
) -> list[tuple[str, Sequence[str]]]:
    """Return each prediction with its references, of which there is at least one.

    Raises:
        ValueError: the lists differ in length, or a prediction has nothing to be compared with.
    """
    if len(predictions) != len(references):
        raise ValueError(f"{name}: {len(predictions)} predictions, but references for {len(references)}")
    for number, texts in enumerate(references, start=1):
        if not texts:
            raise ValueError(f'{name}: row {number} has no reference; leave it out, or give "" if nothing is right')
    return list(zip(predictions, references, strict=True))
