"""``hf/<hub id or folder>``: a local model on torch, through transformers.

One file per family: ``causal``, ``seq2seq``, ``extractive``, ``selection`` and ``vision``; which of them a model
belongs to is read from its config.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nlptasks.backends.base import Backend


class Options(BaseModel):
    """How to load and run a local model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: str = Field(default="auto", description="Where to compute: auto, cpu, cuda, cuda:1, mps ...")
    dtype: Literal["auto", "float32", "bfloat16", "float16", "int8"] = Field(
        default="auto",
        description="Number format of the weights; auto is float32 on a CPU, else the model's own; int8 is for a CPU.",
    )
    revision: str | None = Field(default=None, description="Branch, tag or commit of the model on the hub.")
    adapter: str | None = Field(default=None, description="A PEFT adapter (folder or hub id) to add to the model.")
    attention: str | None = Field(
        default=None, description="How attention is computed: sdpa, eager, flash_attention_2 ..."
    )
    max_batch_tokens: int | None = Field(
        default=None,
        ge=1,
        description="Most tokens computed at once: rows times (prompt and new tokens); what memory has room for.",
    )
    thinking: bool = Field(
        default=False, description="Let a model that can, reason before it answers; give it tokens for that."
    )
    trust_remote_code: bool = Field(default=False, description="Run Python code that comes with the model.")
    offline: bool = Field(default=False, description="Use only what is on disk; open no connection.")


def load(model: str, options: Options) -> Backend:
    """Return the backend for ``model``, a folder or a hub id. Reads the config, not the weights.

    Raises ModelError if there is no such model or it is of no known family, ConfigError for a device
    that does not exist.
    """
    from nlptasks.backends.hf.families import backend_class
    from nlptasks.backends.hf.loading import Source, reachable, read_config

    source = reachable(Source(model, options))
    config = read_config(source)
    return backend_class(source, config)(source, config)
