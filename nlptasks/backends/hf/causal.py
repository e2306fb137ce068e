"""Decoder-only language models: chat through their template, or plain completion without one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from nlptasks.backends.base import Answer, Capability, Session, warn_once
from nlptasks.backends.hf.answer import Reading
from nlptasks.backends.hf.backend import refuse
from nlptasks.backends.hf.batching import Prompt, pad
from nlptasks.backends.hf.decoding.session import DecodingSession, suits
from nlptasks.backends.hf.generation import GeneratingBackend
from nlptasks.backends.hf.plan import Plan, Room, make_plan
from nlptasks.backends.hf.quiet import quiet
from nlptasks.backends.hf.schema import Constraint
from nlptasks.backends.hf.streaming import Hooks, drawn
from nlptasks.backends.reasoning import OPEN
from nlptasks.records import Completion, Delta, Request

UNUSED = Plan({"do_sample": False, "num_beams": 1}, 0)
"""The plan of a prompt that is scored: nothing is generated."""


class CausalBackend(GeneratingBackend):
    """Llama, Qwen, GPT-2 and all others that continue a text."""

    auto_class = "AutoModelForCausalLM"
    mapping = "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES"

    @property
    def capabilities(self) -> frozenset[Capability]:  # type: ignore[override]
        able = {Capability.SCHEMA, Capability.LOGLIKELIHOOD}
        return frozenset(able | {Capability.CHAT} if self.template else able)

    def open(self) -> Session[Any]:
        return DecodingSession(self)

    def stream_prompt(self, prompt: Prompt) -> Iterator[Delta | Answer]:
        if prompt.plain and prompt.plan.sampled and self.decodes:  # as in a batch: a seed gives the same text in both
            with self.open() as session:
                yield from drawn(session, prompt.request)
        else:
            yield from super().stream_prompt(prompt)

    def prepare_model(self, model: Any) -> None:
        super().prepare_model(model)
        self.__dict__.pop("decodes", None)

    @cached_property
    def decodes(self) -> bool:
        """Whether our own decoding gives what the model itself does."""
        return self.options.attention in (None, "sdpa") and suits(self.model)

    @property
    def template(self) -> str | None:
        """The chat template, or None for a base model, which is used in completion mode."""
        template = getattr(self.tokenizer, "chat_template", None)
        return str(template) if template else None

    def identity(self) -> Mapping[str, str]:
        template = self.template
        known = hashlib.sha256(template.encode()).hexdigest()[:16] if template else "none (completion mode)"
        return {**super().identity(), "template": known, "thinking": str(self.options.thinking)}

    def ignored(self, request: Request) -> list[str]:
        return [] if self.template else super().ignored(request)

    def count(self, request: Request) -> int:
        return len(self.tokens(request))

    def prompt(self, position: int, request: Request) -> Prompt:
        if request.images:
            raise refuse("unsupported", f"{self.source.model!r} reads no images: choose an image-text-to-text model.")
        ids = self.tokens(request)
        if request.continuation is not None:
            ids, target = self._scored(ids, request)
            return Prompt(position, request, ids, UNUSED, target=target)
        return self.planned(position, request, ids)

    def planned(self, position: int, request: Request, ids: Sequence[int], **more: Any) -> Prompt:
        """Return the prompt of tokens ``ids`` with its plan and the way to read its answer."""
        plan = make_plan(request.config, Room(len(ids), self.context, self.published))
        if request.schema is not None:
            self.constraint.matcher(request.schema)  # refuses a schema that cannot be kept to
        reasons = self.template is not None and request.schema is None
        opened = reasons and self.tokenizer.decode(list(ids[-8:])).rstrip().endswith(OPEN)
        return Prompt(position, request, ids, plan, Reading(plan.stop, reasons, opened), **more)

    def tokens(self, request: Request) -> list[int]:
        """Return the prompt's tokens; the one place where a chat template is applied.

        Text that looks like a control token (``<|im_end|>``) is read as text unless the template wrote it.
        """
        with self.lock, quiet():
            if not self.template:
                return list(self.tokenizer(plain_text(request))["input_ids"]) or [self.filler]
            chat = [{"role": message.role, "content": message.content} for message in request.messages]
            return list(self.render(chat, request)["input_ids"])

    def render(self, chat: list[dict[str, Any]], request: Request) -> Any:
        """Apply the chat template. A template without a system role gets its text in the first user turn."""
        from jinja2 import TemplateError

        if not chat:
            raise refuse("bad_request", "There is no message to answer.")
        given = request.config.extra.get("chat_template_kwargs") or {}
        arguments = {"enable_thinking": self.options.thinking, **given}
        try:
            return self._apply_template(chat, arguments)
        except TemplateError as error:
            if len(chat) < 2 or chat[0]["role"] != "system":
                raise refuse("bad_request", f"The chat template refuses these messages: {error}") from error
        warn_once(
            f"The chat template of {self.source.model!r} takes no system message: "
            "its text is put before the first user message."
        )
        try:
            return self._apply_template(without_system(chat), arguments)
        except TemplateError as error:
            raise refuse("bad_request", f"The chat template refuses these messages: {error}") from error

    def _apply_template(self, chat: list[dict[str, Any]], arguments: Mapping[str, Any]) -> Any:
        return self.tokenizer.apply_chat_template(
            chat, add_generation_prompt=True, sanitize_control_tokens=True, **arguments
        )

    def collate(self, batch: Sequence[Prompt]) -> dict[str, Any]:
        return pad([prompt.ids for prompt in batch], self.filler, left=True, device=self.model.device)

    def processors(self, batch: Sequence[Prompt], start: int) -> list[Any]:
        schema = batch[0].request.schema
        return [] if schema is None else [self.constraint.processor(schema, start)]

    @cached_property
    def constraint(self) -> Constraint:
        """What holds answers to a JSON schema."""
        end = self.published["eos_token_id"]
        vocabulary = self.model.get_output_embeddings().out_features
        return Constraint(self.tokenizer, vocabulary, end if isinstance(end, list) else [end])

    def compute(self, batch: Sequence[Prompt], hooks: Hooks) -> list[Completion]:
        if not batch[0].target:
            return super().compute(batch, hooks)
        from nlptasks.backends.hf.scoring import score

        return score(self, batch)

    def _scored(self, ids: list[int], request: Request) -> tuple[list[int], list[int]]:
        """Return the tokens to read and those to score, split where the continuation begins.

        Without a template, prompt and continuation are tokenised as one text; a token that spans the
        border counts to the continuation, so that no part of it is lost.
        """
        continuation = request.continuation or ""
        if self.template:
            whole = ids + list(self.tokenizer(continuation, add_special_tokens=False)["input_ids"])
            border = len(ids)
        else:
            whole = list(self.tokenizer(plain_text(request) + continuation)["input_ids"])
            same = (at for at, (a, b) in enumerate(zip(ids, whole, strict=False)) if a != b)
            border = next(same, min(len(ids), len(whole)))
        if border == 0:  # something must come before the first token for it to have a probability
            start = self.tokenizer.bos_token_id
            whole, border = [self.filler if start is None else start, *whole], 1
        if border == len(whole):
            raise refuse("bad_request", "There is no continuation to score: it is empty.")
        if self.context is not None and len(whole) > self.context:
            size = f"Prompt and continuation take {len(whole)} tokens, but the model reads {self.context}"
            raise refuse("too_long", f"{size}: shorten the input or choose another model.")
        return whole[:border], whole[border:]


def plain_text(request: Request) -> str:
    """Return the messages as the text that a base model continues."""
    return "\n\n".join(message.content for message in request.messages)


def without_system(chat: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return ``chat`` with its system text at the beginning of the first user message."""
    system, first, *rest = chat
    return [{**first, "content": f"{system['content']}\n\n{first['content']}"}, *rest]
