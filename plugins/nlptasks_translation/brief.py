"""One sample's requests, a line of the text in each, and the text put together again from their answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from nlptasks import Completion, Limits, Prompts, Request
from nlptasks.tasks import unclosable_tag
from nlptasks.text import detect_language, is_unspaced, language_name, split_to_fit
from nlptasks_translation.answers import unwrap
from nlptasks_translation.glossary import Term
from nlptasks_translation.layout import segments
from nlptasks_translation.models import TranslationInput, TranslationOptions, TranslationOutput

LEAST_TEXT = "."  # a backend may take an empty text for none at all
LEAST_ROOM = 64
"""Tokens of text and translation below which translating piece by piece makes no sense."""
NEW_TOKENS = 128
"""What even a short text may take; less where the context is small."""
EXPANSION = 3
"""Most tokens of a translation for a token of its source, from English into a script that takes many."""


@dataclass(frozen=True)
class Brief:
    """One sample with all that shapes its requests."""

    prompts: Prompts
    input: TranslationInput
    options: TranslationOptions
    limits: Limits

    @cached_property
    def source_lang(self) -> str | None:
        """The language of the text, None if nothing tells it."""
        code = self.input.source_lang or detect_language(self.input.source)
        return None if code == "und" else code

    def parts(self) -> Iterator[str | Request]:
        """Yield what stays as it is, and a request for each text whose translation belongs in that place."""
        if self.input.source_lang == self.input.target_lang:
            yield self.input.source
            return
        for segment in segments(self.input.source):
            yield from self._asked(segment.text) if segment.translate else [segment.text]

    def output(self, parts: Sequence[str | Request], completions: Sequence[Completion]) -> TranslationOutput:
        """Put the text together again."""
        answers, texts, missed = iter(completions), [], {}
        for part in parts:
            if isinstance(part, Request):
                source = part.fields["text"]
                part = unwrap(next(answers).text, source, self._target)
                missed.update({term.source: term for term in self._terms(source) if not term.kept_in(part)})
            texts.append(part)
        return TranslationOutput(
            translation="".join(texts),
            source_lang=self.source_lang,
            target_lang=self.input.target_lang,
            glossary_missed=list(missed),
            truncated=any(completion.finish_reason == "length" for completion in completions),
        )

    def request(self, text: str) -> Request:
        """Return what to ask about one line or a piece of it."""
        return self._measured(text)[0]

    def _asked(self, text: str) -> Iterator[str | Request]:
        """Yield the request for a line, or several where it is cut at sentences to fit the context."""
        context = self.limits.context
        request, tokens = self._measured(text)
        if context is None or tokens <= context:
            yield request
            return
        if (room := context - self._measured(LEAST_TEXT)[1]) < LEAST_ROOM:
            raise ValueError(
                f"the model reads {context} tokens, which leaves {max(room, 0)} for text beside the instructions: "
                "lower max_new_tokens or choose a model with a larger context"
            )
        end = 0
        for piece in split_to_fit(text, context, lambda piece: self._measured(piece)[1]):
            start = text.index(piece, end)
            yield self._space(text[end:start]) if end else ""
            yield self.request(piece)
            end = start + len(piece)

    def _space(self, between: str) -> str:
        """Return what stands between the translations of two pieces that had ``between`` between them."""
        source, target = (is_unspaced(code or "") for code in (self.source_lang, self.input.target_lang))
        if source == target:
            return between
        return "" if target else " "

    def _measured(self, text: str) -> tuple[Request, int]:
        """Return the request for ``text``, and the tokens that it and its answer take."""
        request = self._bare_request(text)
        tokens = self.limits.count(request)
        new = self.options.max_new_tokens or self._new_tokens(max(0, tokens - self._instructions))
        return replace(request, config=replace(self.options.generation(), max_new_tokens=new)), tokens + new

    def _bare_request(self, text: str) -> Request:
        languages = {"source_lang": self._asked_source, "target_lang": self.input.target_lang}
        messages = self.prompts.render(
            text=text,
            tag=unclosable_tag("text", text),
            source=self._source,
            target=self._target,
            glossary=self._terms(text),
            **languages,
        )
        fields = {name: value for name, value in {"text": text, **languages}.items() if value}
        return Request(messages, task="translation", fields=fields, schema=self.options.schema_object())

    def _new_tokens(self, tokens: int) -> int:
        """Return an upper bound for the translation of so many tokens, in few steps so that requests share a batch."""
        least = min(NEW_TOKENS, self.limits.context // 4) if self.limits.context else NEW_TOKENS
        most = max(least, least // 2 + EXPANSION * tokens)
        step = 1 << max(0, most.bit_length() - 2)
        return -(-most // step) * step

    @cached_property
    def _instructions(self) -> int:
        return self.limits.count(self._bare_request(LEAST_TEXT))

    @cached_property
    def _asked_source(self) -> str | None:
        """The language to translate from; none where the text only seems to be in the target language already."""
        return None if self.source_lang == self.input.target_lang else self.source_lang

    @cached_property
    def _source(self) -> str:
        return language_name(self._asked_source) if self._asked_source else ""

    @cached_property
    def _target(self) -> str:
        return language_name(self.input.target_lang)

    def _terms(self, text: str) -> list[Term]:
        return self.options.terms.found_in(text)
