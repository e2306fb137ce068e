"""One sample's requests: the documents whole, a part of them, or the summaries of their parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from nlptasks import Document, Limits, Prompts, Request
from nlptasks.tasks import unclosable_tag
from nlptasks.text import detect_language, is_unspaced, language_name
from nlptasks_summarization.chunks import Reader
from nlptasks_summarization.models import SummarizationInput, SummarizationOptions

Stage = Literal["whole", "part", "combine"]
PART_SENTENCES = 8
PART_TOKENS = 384


@dataclass(frozen=True)
class Brief:
    """One sample with all that shapes its requests."""

    prompts: Prompts
    input: SummarizationInput
    options: SummarizationOptions
    limits: Limits

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        """The documents; a name tells one from another, so that one alone has its title or none."""
        documents = self.input.documents
        return documents if len(documents) > 1 else (Document(text=documents[0].text, name=self.input.title or ""),)

    @cached_property
    def language(self) -> str | None:
        """The language of the summary, None if nothing tells it."""
        code = self.options.language or detect_language(_joined(self.documents))
        return None if code == "und" else code

    @cached_property
    def language_name(self) -> str:
        """The language as the prompt calls it."""
        return language_name(self.language) if self.language else "the language of the document"

    def fits(self, stage: Stage, documents: Sequence[Document]) -> bool:
        """Return whether a request and its answer are within the backend's context."""
        context = self.limits.context
        if context is None:
            return True
        return self.limits.count(self.request(stage, documents)) + self._new_tokens(stage) <= context

    def reader(self, stage: Stage) -> Reader:
        """Return who reads groups for a part's request, and as well for that of ``stage``: one group needs no parts."""
        stages: tuple[Stage, ...] = ("part", stage)
        size = (self.limits.context or 0) - max(map(self._new_tokens, stages))
        return Reader(size, lambda documents: max(self.limits.count(self.request(s, documents)) for s in stages))

    def request(self, stage: Stage, documents: Sequence[Document]) -> Request:
        """Return what to ask about ``documents``: the sample's own, a part of them, or summaries of parts."""
        values = self._values(stage, documents)
        known = ("text", "max_words", "max_sentences", "style", "query", "lang")
        return Request(
            self.prompts.render(**values),
            task="summarization",
            fields={name: str(values[name]) for name in known if values[name]},
            config=replace(self.options.generation(), max_new_tokens=self._new_tokens(stage)),
            schema=None if stage == "part" else self.options.schema_object(),
        )

    def _values(self, stage: Stage, documents: Sequence[Document]) -> Mapping[str, Any]:
        part, options, text = stage == "part", self.options, _joined(documents)
        unspaced = is_unspaced(self.language or "")
        return {
            "stage": stage,
            "documents": [{"text": each.text.strip(), "name": _attribute(each.name)} for each in documents],
            "text": text,
            "tag": unclosable_tag("document", text),
            "several": len(self.documents) > 1,
            "query": " ".join((self.input.query or "").split()),
            "style": "paragraph" if part else options.style,
            "max_sentences": PART_SENTENCES if part else options.most_sentences,
            "max_words": None if part else options.most_words(unspaced),
            "lang": self.language,
            "language": self.language_name,
            "unit": "character" if unspaced else "word",
        }

    def _new_tokens(self, stage: Stage) -> int:
        context = self.limits.context
        if stage == "part":
            return min(PART_TOKENS, context // 8) if context else PART_TOKENS
        default = self.options.default_new_tokens
        return self.options.max_new_tokens or (min(default, context // 4) if context else default)


def _joined(documents: Sequence[Document]) -> str:
    return "\n\n".join(document.text.strip() for document in documents)


def _attribute(name: str) -> str:
    return " ".join(name.replace('"', "'").split())
