"""Two kinds of model: those that continue a chat, and those that turn one text into another."""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from nlptasks import Backend, Capability, Completion, Failure, GenerationConfig, Limits, ModelError, Request, Usage
from nlptasks.backends.base import Answer, warn_once
from nlptasks.backends.hf.quiet import quiet
from nlptasks.text import language_name
from nlptasks_ctranslate2.load import Options, converted, fingerprint

DEFAULT_NEW_TOKENS = 256
LONGEST = 10**9
"""Tokenizers without a limit of their own name a far greater number."""


class Converted(Backend):
    """What both kinds share. The model is converted and loaded when it is first asked something."""

    batch_size = 32
    runner: ClassVar[str]
    """The class of CTranslate2 that runs this kind."""

    def __init__(self, model: str, folder: Path, config: Any, options: Options) -> None:
        self.name, self.folder, self.config, self.options = model, folder, config, options

    @cached_property
    def tokenizer(self) -> Any:
        """The model's own tokenizer."""
        from transformers import AutoTokenizer

        with quiet():
            return AutoTokenizer.from_pretrained(self.folder)

    @cached_property
    def model(self) -> Any:
        """The converted model."""
        import ctranslate2

        path = str(converted(self.folder, self.options))
        try:
            return getattr(ctranslate2, self.runner)(path, self.options.device)
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"CTranslate2 cannot run {self.name!r}: {' '.join(str(error).split())}") from error

    @property
    def context(self) -> int | None:
        """The most tokens that the model reads."""
        known = getattr(self.config, "max_position_embeddings", None) or self.tokenizer.model_max_length
        return int(known) if known < LONGEST else None

    @abstractmethod
    def ids(self, request: Request) -> list[int]:
        """Return the request as the model reads it."""

    @abstractmethod
    def generate(self, prompts: list[list[str]], length: int, settings: Mapping[str, Any]) -> Sequence[list[str]]:
        """Return the tokens of an answer for each prompt, at most ``length``."""

    def complete(self, requests: Sequence[Request]) -> Sequence[Answer]:
        answers: dict[int, Answer] = {}
        prompts: dict[int, list[int]] = {}
        alike: dict[str, list[int]] = defaultdict(list)
        for position, request in enumerate(requests):
            try:
                prompts[position] = self._prompt(request)
            except ValueError as error:
                answers[position] = Failure("bad_request", " ".join(str(error).split()))
            else:
                alike[repr(request.config)].append(position)
        for positions in alike.values():
            config = requests[positions[0]].config
            answers |= zip(positions, self._answers([prompts[at] for at in positions], config), strict=True)
        return [answers[position] for position in range(len(requests))]

    def _prompt(self, request: Request) -> list[int]:
        if request.images or request.schema is not None or request.continuation is not None:
            raise ValueError("This backend reads no images, keeps to no schema and scores no continuations: use hf/")
        if not request.messages:
            raise ValueError("There is no message to answer.")
        " ".join([*(one.content for one in request.messages), *request.fields.values()]).encode()  # half a character?
        ids = self.ids(request)
        if self.context is not None and len(ids) >= self.context:
            raise ValueError(f"The request takes {len(ids)} tokens, but the model reads {self.context}: shorten it.")
        return ids

    def _answers(self, prompts: list[list[int]], config: GenerationConfig) -> list[Answer]:
        tokens = [self.tokenizer.convert_ids_to_tokens(prompt) for prompt in prompts]
        try:
            found = self.generate(tokens, _new_tokens(config), _settings(config))
        except (RuntimeError, TypeError, ValueError) as error:
            return [Failure("bad_request", " ".join(str(error).split()))] * len(prompts)
        return [self._answer(len(prompt), tokens, config) for prompt, tokens in zip(prompts, found, strict=True)]

    def _answer(self, read: int, tokens: list[str], config: GenerationConfig) -> Completion:
        text = self.tokenizer.decode(self.tokenizer.convert_tokens_to_ids(tokens), skip_special_tokens=True)
        ends = [at for stop in config.stop if (at := text.find(stop)) >= 0]
        ignored = ["seed"] if config.temperature and config.seed is not None else []
        if ignored:
            warn_once("CTranslate2 seeds its random numbers once, when it starts: seed ignored.")
        return Completion(
            text[: min(ends, default=None)],
            finish_reason="stop" if ends or len(tokens) < _new_tokens(config) else "length",
            usage=Usage(read, len(tokens)),
            data={"ignored": ignored} if ignored else {},
        )

    def limits(self) -> Limits:
        return _Counted(self.context, counter=lambda request: len(self.ids(request)))

    def identity(self) -> Mapping[str, str]:
        import ctranslate2
        import transformers

        return {
            "backend": "ctranslate2",
            "model": self.name,
            "weights": fingerprint(self.folder),
            "compute_type": self.options.compute_type,
            "ctranslate2": ctranslate2.__version__,
            "transformers": transformers.__version__,
        }

    def close(self) -> None:
        vars(self).pop("model", None)


class Generating(Converted):
    """Llama and whatever else continues a text; without a chat template it continues the messages as they are."""

    runner = "Generator"

    @property
    def capabilities(self) -> frozenset[Capability]:  # type: ignore[override]
        return frozenset({Capability.CHAT} if self.tokenizer.chat_template else ())

    def ids(self, request: Request) -> list[int]:
        if not self.tokenizer.chat_template:
            return list(self.tokenizer("\n\n".join(message.content for message in request.messages))["input_ids"])
        chat = [{"role": message.role, "content": message.content} for message in request.messages]
        settings = {"add_generation_prompt": True, "sanitize_control_tokens": True, "enable_thinking": False}
        return list(self.tokenizer.apply_chat_template(chat, **settings)["input_ids"])

    def generate(self, prompts: list[list[str]], length: int, settings: Mapping[str, Any]) -> Sequence[list[str]]:
        found = self.model.generate_batch(prompts, max_length=length, include_prompt_in_result=False, **settings)
        return [one.sequences[0] for one in found]


class Translating(Converted):
    """Marian, T5 and whatever else turns one text into another."""

    runner = "Translator"

    @property
    def tasks(self) -> frozenset[str] | None:  # type: ignore[override]
        return frozenset({"translation"}) if self.config.model_type == "marian" else None

    def refusal(self, task: str) -> str | None:
        if hasattr(self.tokenizer, "src_lang") or getattr(self.tokenizer, "supported_language_codes", None):
            return f"{self.name!r} must be told a language by a code of its own, which this backend does not: use hf/"
        return super().refusal(task)

    def ids(self, request: Request) -> list[int]:
        text = request.fields.get("text") or request.messages[-1].content
        return list(self.tokenizer(self._prefix(request) + text)["input_ids"])

    def _prefix(self, request: Request) -> str:
        """Return how a T5 is told what to do with a text."""
        if self.config.model_type != "t5":
            return ""
        if request.task == "translation":
            languages = [request.fields.get(f"{side}_lang", "") for side in ("source", "target")]
            if not all(languages):
                raise ValueError("This model must be told both languages: --from and --to.")
            return "translate {} to {}: ".format(*map(language_name, languages))
        return "summarize: " if request.task == "summarization" else ""

    def generate(self, prompts: list[list[str]], length: int, settings: Mapping[str, Any]) -> Sequence[list[str]]:
        found = self.model.translate_batch(prompts, max_decoding_length=length, max_input_length=0, **settings)
        return [one.hypotheses[0] for one in found]


@dataclass(frozen=True)
class _Counted(Limits):
    counter: Callable[[Request], int] = field(kw_only=True)

    def count(self, request: Request) -> int:
        return self.counter(request)


def _new_tokens(config: GenerationConfig) -> int:
    return config.max_new_tokens or DEFAULT_NEW_TOKENS


def _settings(config: GenerationConfig) -> dict[str, Any]:
    if config.temperature == 0:
        return {"beam_size": config.num_beams, **config.extra}
    sampled = {"sampling_topk": 0, "sampling_topp": config.top_p, "sampling_temperature": config.temperature}
    return {"beam_size": 1, **sampled, **config.extra}
