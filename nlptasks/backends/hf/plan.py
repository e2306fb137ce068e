"""Our GenerationConfig, translated into transformers' one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from nlptasks.backends.hf.backend import refuse
from nlptasks.records import GenerationConfig

# What a checkpoint says about sampling and search is left out: greedy means greedy, and a repetition
# penalty would see the padding of a batch.
PUBLISHED_CHOICES = frozenset(
    "do_sample temperature top_k top_p min_p top_h typical_p epsilon_cutoff eta_cutoff repetition_penalty "
    "num_beams num_return_sequences max_new_tokens min_new_tokens max_time stop_strings use_cache "
    "transformers_version _from_model_config".split()
)
# Ours to set, or made for another shape of result.
NOT_EXTRA = frozenset(
    "stop_strings output_attentions output_hidden_states output_scores output_logits return_dict_in_generate "
    "is_assistant transformers_version".split()
)
PLAIN = frozenset(
    "num_beams num_return_sequences max_new_tokens eos_token_id bos_token_id pad_token_id cache_implementation".split()
)
"""What greedy search without any bending of scores is told."""
PLAINLY_SAMPLED = PLAIN | {"do_sample", "temperature", "top_p"}
"""What sampling is told that bends scores by no more than this."""
TEMPLATE_OPTIONS = frozenset({"chat_template_kwargs"})
"""Extras for the chat template, not for ``generate``."""


@dataclass(frozen=True)
class Plan:
    """How to generate for one request: ``settings`` are arguments of transformers' GenerationConfig."""

    settings: Mapping[str, Any]
    max_new_tokens: int
    stop: tuple[str, ...] = ()
    seed: int | None = None

    @property
    def rows(self) -> int:
        """How many rows of a batch one prompt takes."""
        return max(int(self.settings["num_beams"]), self.returned)

    @property
    def returned(self) -> int:
        """How many texts come back for one prompt."""
        return int(self.settings.get("num_return_sequences") or 1)

    @property
    def sampled(self) -> bool:
        return bool(self.settings["do_sample"])

    @property
    def plain(self) -> bool:
        """Whether every token is the likeliest, or drawn by temperature and nucleus, and nothing else is asked for."""
        told = {name for name, value in self.settings.items() if value}
        return self.rows == 1 and told <= (PLAINLY_SAMPLED if self.sampled else PLAIN)

    @property
    def alone(self) -> bool:
        """Whether a neighbour in the batch would change the answer, or is not allowed."""
        return (self.sampled and self.seed is not None) or "prompt_lookup_num_tokens" in self.settings

    @property
    def sees_padding(self) -> bool:
        """Whether padding of the prompt could change the answer."""
        return bool({"repetition_penalty", "no_repeat_ngram_size"} & set(self.settings))

    @property
    def group(self) -> str:
        """Equal for requests that may be generated in one call."""
        return json.dumps([self.settings, self.max_new_tokens, self.stop], sort_keys=True, default=str)


@dataclass(frozen=True)
class Room:
    """What bounds a plan: the prompt's length, the context in tokens (or None) and the published defaults.

    A decoder's prompt and answer share the context; an encoder-decoder's answer has it for itself.
    """

    prompt_tokens: int
    context: int | None
    published: Mapping[str, Any] = field(default_factory=dict)
    default_new_tokens: int = 256
    decoder_only: bool = True


def published(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a checkpoint's generation config: token ids, lengths and bans."""
    return {name: value for name, value in settings.items() if value is not None and name not in PUBLISHED_CHOICES}


def make_plan(config: GenerationConfig, room: Room) -> Plan:
    """Translate ``config``. Raises SampleError for an impossible setting or a prompt that leaves no room."""
    extra = {name: value for name, value in config.extra.items() if name not in TEMPLATE_OPTIONS}
    if unknown := sorted(set(extra) - _known_extras()):
        raise refuse("bad_request", f"Unknown generation option {unknown[0]!r}: see transformers' GenerationConfig.")
    settings = {**room.published, **_search(config), **extra}
    if not settings["do_sample"]:
        for name in ("temperature", "top_p", "top_k"):
            settings.pop(name, None)
    try:
        plan = Plan(settings, _new_tokens(config, settings, room), config.stop, config.seed)
        _ = plan.rows
    except (TypeError, ValueError) as error:
        raise refuse("bad_request", f"A generation option is no number: {error}") from None
    return plan


def _search(config: GenerationConfig) -> dict[str, Any]:
    sampled = config.temperature > 0 or bool(config.extra.get("do_sample"))
    search: dict[str, Any] = {"do_sample": sampled, "num_beams": config.num_beams}
    if sampled:
        search |= {"temperature": config.temperature or 1.0, "top_p": config.top_p, "top_k": 0}
    return search


def _new_tokens(config: GenerationConfig, settings: dict[str, Any], room: Room) -> int:
    """Settle the most and fewest new tokens; ``max_length`` and ``min_length`` count the prompt of a decoder."""
    before = room.prompt_tokens if room.decoder_only else 1  # an encoder's answer starts with one token
    longest, shortest = settings.pop("max_length", None), settings.pop("min_length", None)
    wanted = settings.pop("max_new_tokens", config.max_new_tokens)
    if wanted is None and longest is not None:
        wanted = max(1, int(longest) - before)
    if wanted is not None and int(wanted) < 1:
        raise refuse("bad_request", f"max_new_tokens must be at least 1, not {wanted}.")
    new = int(wanted or room.default_new_tokens)
    if room.context is not None:
        left = room.context - (room.prompt_tokens if room.decoder_only else 0)
        if room.decoder_only and left < (wanted or 1):
            raise refuse("too_long", _too_long(room.prompt_tokens, wanted, room.context))
        new = min(new, left)
    if shortest:
        settings.setdefault("min_new_tokens", min(new, max(0, int(shortest) - before)))
    settings["max_new_tokens"] = new
    return new


def _too_long(prompt: int, new: int | None, context: int) -> str:
    answer = f" and the answer up to {new}" if new else ""
    advice = "shorten the input, ask for fewer new tokens" if new else "shorten the input"
    return f"The prompt takes {prompt} tokens{answer}, but the model reads {context}: {advice} or choose another model."


@cache
def _known_extras() -> frozenset[str]:
    from transformers import GenerationConfig as HFGenerationConfig

    names = {name for name in vars(HFGenerationConfig()) if not name.startswith("_")}
    return frozenset(names - NOT_EXTRA)
