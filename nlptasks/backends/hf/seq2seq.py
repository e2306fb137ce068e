"""Encoder-decoder models: translation, and whatever else they were trained for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from nlptasks.backends.hf.answer import Reading
from nlptasks.backends.hf.backend import refuse
from nlptasks.backends.hf.batching import Prompt, pad
from nlptasks.backends.hf.decoding.search import finds, search, suits
from nlptasks.backends.hf.generation import GeneratingBackend
from nlptasks.backends.hf.languages import KIN, SAME, Languages, english_name, nearest
from nlptasks.backends.hf.plan import Room, make_plan, published
from nlptasks.backends.hf.quiet import quiet
from nlptasks.records import Request

TRANSLATORS = frozenset({"marian", "fsmt", "m2m_100", "nllb-moe"})
"""Architectures that exist for translation alone."""
LONGEST_TRANSLATION = 2
"""Tokens for each one of the source, such as batches are made for; one that is longer is written all the same."""


class Seq2SeqBackend(GeneratingBackend):
    """Marian, NLLB, mBART, T5, BART, Pegasus and their relatives. They read fields, not chat."""

    auto_class = "AutoModelForSeq2SeqLM"
    mapping = "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES"
    decoder_only = False

    @property
    def tasks(self) -> frozenset[str] | None:  # type: ignore[override]
        return frozenset({"translation"}) if self.config.model_type in TRANSLATORS else None

    @cached_property
    def languages(self) -> Languages:
        """The languages that the tokenizer has codes for."""
        return Languages.of(self.tokenizer)

    def count(self, request: Request) -> int:
        return len(self.tokens(request))

    def prompt(self, position: int, request: Request) -> Prompt:
        self._refuse_what_needs_chat(request)
        ids = self.tokens(request)
        if self.context is not None and len(ids) > self.context:
            raise refuse(
                "too_long", f"The input takes {len(ids)} tokens, but the model reads {self.context}: shorten it."
            )
        room = Room(len(ids), self._longest_answer, self._defaults(request), decoder_only=False)
        plan = make_plan(request.config, room)
        expected = LONGEST_TRANSLATION * len(ids) if request.task == "translation" else None
        return Prompt(position, request, ids, plan, Reading(plan.stop), expected=expected)

    def tokens(self, request: Request) -> list[int]:
        """Return the encoder's input: the text with its prefix and language codes."""
        text = self.text(request)
        with self.lock, quiet():
            if self.languages.codes and not self.languages.inline and (tag := request.fields.get("source_lang")):
                self.tokenizer.src_lang = self.languages.find(tag, KIN)
            return list(self.tokenizer(text)["input_ids"])

    def answer_tokens(self, request: Request, text: str) -> list[int]:
        """Return ``text`` as the model writes it when it answers: with the language's code and the end token."""
        with self.lock, quiet():
            if request.task == "translation" and (code := self._target(request)) and not self.languages.inline:
                self.tokenizer.tgt_lang = self.languages.codes[code]
            return list(self.tokenizer(text_target=text)["input_ids"])

    def text(self, request: Request) -> str:
        """Return the text that the encoder reads."""
        text = request.fields.get("text") or _last_user_text(request)
        if self.languages.inline and request.task == "translation":
            return f"{self.languages.codes[self._target(request)]} {text}"
        if self.config.model_type != "t5":
            return text
        if {"question", "context"} <= request.fields.keys():
            return f"question: {request.fields['question']} context: {request.fields['context']}"
        return self._prefix(request) + text

    def collate(self, batch: Sequence[Prompt]) -> dict[str, Any]:
        return pad([prompt.ids for prompt in batch], self.filler, left=False, device=self.model.device)

    def prepare_model(self, model: Any) -> None:
        super().prepare_model(model)
        self.__dict__.pop("searches", None)

    @cached_property
    def searches(self) -> bool:
        """Whether our own search finds what transformers' does."""
        return self.options.attention in (None, "sdpa") and suits(self.model)

    def loop(self, config: Any) -> Any:
        return search if finds(config) and self.searches else None

    @property
    def _longest_answer(self) -> int | None:
        positions = getattr(self.config, "max_position_embeddings", None)
        return positions - 1 if positions else None

    def _refuse_what_needs_chat(self, request: Request) -> None:
        model = repr(self.source.model)
        if request.images:
            raise refuse("unsupported", f"{model} reads no images: choose an image-text-to-text model.")
        if request.schema is not None:
            raise refuse("unsupported", f"{model} cannot keep to a JSON schema: choose a causal model.")
        if request.continuation is not None:
            raise refuse("unsupported", f"{model} gives no log-likelihoods: choose a causal model.")

    def _task_parameters(self, request: Request) -> Mapping[str, Any]:
        """What the config says about a task, T5's way: a prefix and lengths."""
        name = request.task
        if name == "translation":
            source, target = (request.fields.get(f"{side}_lang", "")[:2] for side in ("source", "target"))
            name = f"translation_{source}_to_{target}"
        return (getattr(self.config, "task_specific_params", None) or {}).get(name) or {}

    def _prefix(self, request: Request) -> str:
        if "prefix" in (known := self._task_parameters(request)):
            return str(known["prefix"])
        if request.task == "summarization":
            return "summarize: "
        if request.task == "translation":
            source, target = self._tag(request, "source_lang"), self._tag(request, "target_lang")
            return f"translate {english_name(source)} to {english_name(target)}: "
        return ""

    def _defaults(self, request: Request) -> dict[str, Any]:
        settings = {**self.published, **published(self._task_parameters(request))}
        settings.pop("prefix", None)
        if request.task == "translation":
            target = self._target(request)
            if target and not self.languages.inline:
                token = self.languages.codes[target]
                settings["forced_bos_token_id"] = self.tokenizer.convert_tokens_to_ids(token)
        return settings

    def _target(self, request: Request) -> str:
        """Return the code of the language to translate into; empty for a model of one pair."""
        if self.languages.codes:
            if not self.languages.inline:
                self._tag(request, "source_lang")
            return self.languages.find(self._tag(request, "target_lang"), SAME)
        for side, way in (("source_lang", "from"), ("target_lang", "to")):
            own, asked = getattr(self.tokenizer, side, None), request.fields.get(side)
            # Longer names stand for groups of languages (mul, gmw, ROMANCE), which no tag can be checked against.
            if own and asked and len(own) == 2 and nearest(asked, [own], KIN) is None:
                pair = f"{self.tokenizer.source_lang} to {self.tokenizer.target_lang}"
                raise refuse("bad_request", f"{self.source.model!r} translates {pair} only, not {way} {asked}.")
        return ""

    def _tag(self, request: Request, field: str) -> str:
        tag = request.fields.get(field)
        if not tag:
            raise refuse("bad_request", f"{self.source.model!r} must be told the {field}: say which language it is.")
        return tag


def _last_user_text(request: Request) -> str:
    texts = [message.content for message in request.messages if message.role == "user"]
    return texts[-1] if texts else ""
