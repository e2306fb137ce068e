"""What a judge is asked, and what its words come to."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from nlptasks.records import Message
from nlptasks.tasks import Prompts

ROLES = ("reference", "answer", "answer_a", "answer_b")
_BRACKETS = re.compile(r"\[\[([^\[\]]*)\]\]")
_RATING = re.compile(r"(\d+(?:[.,]\d+)?)(?:\s*/\s*10)?")


@dataclass(frozen=True)
class Case:
    """One sample as the judge sees it: ``context`` holds columns by name, such as a question or a document."""

    context: Mapping[str, str]
    references: Sequence[str]

    def single(self, answer: str) -> tuple[Message, ...]:
        """Return the messages that ask for a rating."""
        return self._ask("single", {"answer": answer})

    def pairwise(self, first: str, second: str) -> tuple[Message, ...]:
        """Return the messages that ask which of two answers is better; the first is called A."""
        return self._ask("pairwise", {"answer_a": first, "answer_b": second})

    def _ask(self, kind: str, answers: Mapping[str, str]) -> tuple[Message, ...]:
        end = _end((*self.context, *ROLES), (*self.context.values(), *self.references, *answers.values()))
        context = [{"tag": name + end, "text": text} for name, text in self.context.items()]
        tags = {role: role + end for role in ROLES}
        return prompts(kind).render(context=context, references=self.references, tags=tags, **answers)


@cache
def prompts(kind: str) -> Prompts:
    """Return the prompts of kind ``single`` or ``pairwise``."""
    folder = files("nlptasks.metrics") / "prompts"
    return Prompts(*((folder / f"judge_{name}.jinja").read_text("utf-8") for name in ("system", kind)))


def rating(text: str) -> float | None:
    """Return the number from 1 to 10 that the judge gave, None if there is none to be read."""
    found = _RATING.fullmatch(_verdict(text))
    number = float(found[1].replace(",", ".")) if found else 0.0
    return number if 1 <= number <= 10 else None


def winner(text: str) -> str | None:
    """Return "A", "B", or "C" for a tie, None if there is no verdict to be read."""
    letter = _verdict(text).upper()
    return letter if letter in ("A", "B", "C") else None


def as_text(value: Any) -> str:
    """Return the text of a column: a text, messages, documents, or a list of these."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        text = as_text(value.get("content", value.get("text")))
        return f"{value['role']}: {text}" if "role" in value else text
    if isinstance(value, (list, tuple)):
        return "\n\n".join(map(as_text, value))
    return str(value)


def _verdict(text: str) -> str:
    """Return what stands in the last double brackets, without a label: an explanation may quote others before."""
    found = _BRACKETS.findall(unicodedata.normalize("NFKC", text).replace("【", "[").replace("】", "]"))
    return str(found[-1]).rpartition(":")[2].strip(" *_") if found else ""


def _end(names: Iterable[str], texts: Iterable[str]) -> str:
    """Return an ending for the tags' names with which none of ``texts`` can open or close one."""
    joined, end = "\n".join(texts).lower(), ""
    while any(f"{mark}{name}{end}" in joined for name in names for mark in "</"):
        end += "-text"
    return end
