"""How to train: declared once, for the command line and Python."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class TrainingOptions(BaseModel):
    """How to train. What is None is chosen by the model's family."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int | None = Field(
        default=None,
        ge=1,
        description="How often to learn from every row; else 3 times, from scratch until there were 100 updates.",
    )
    max_steps: int | None = Field(default=None, ge=1, description="Most updates, whatever the epochs.")
    batch_size: int = Field(default=16, ge=1, description="Rows that one update learns from.")
    batch_tokens: int | None = Field(
        default=None, ge=1, description="Tokens that one update learns from, in place of a number of rows."
    )
    learning_rate: float | None = Field(default=None, gt=0, description="Its peak, reached at the end of the warm-up.")
    warmup: float = Field(default=0.05, ge=0, lt=1, description="Share of the updates in which the rate rises.")
    schedule: Literal["linear", "cosine", "inverse_sqrt", "constant"] = Field(
        default="linear", description="How the rate falls after its peak."
    )
    weight_decay: float = Field(default=0.01, ge=0, description="Weight decay of AdamW.")
    label_smoothing: float = Field(
        default=0.0, ge=0, lt=1, description="Share of the probability to spread over all tokens of the vocabulary."
    )
    max_length: int | None = Field(
        default=None, ge=8, description="Most tokens of a row (of a window, for a model that marks spans)."
    )
    curriculum: bool = Field(default=False, description="Begin with short rows.")
    full: bool = Field(default=False, description="Train all weights of a causal model, not a LoRA adapter.")
    lora_rank: int = Field(default=16, ge=1, description="Rank of the adapter.")
    merge: bool = Field(default=False, description="Write the model with its adapter merged in.")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto", description="Number format to compute in; auto is bfloat16 where the device has it."
    )
    metrics: str | None = Field(
        default=None, description="What to score with while training, such as squad_v2; else the task's metrics."
    )
    metric: str | None = Field(
        default=None, description="The figure that decides which state is kept, such as f1; else the first."
    )
    evaluate_every: int | None = Field(
        default=None, ge=1, description="Updates between evaluations; else one after every epoch."
    )
    eval_limit: int | None = Field(default=None, ge=1, description="Evaluate on this many rows only.")
    patience: int | None = Field(
        default=None, ge=1, description="Stop after this many evaluations without a better figure."
    )
    save_every: int = Field(default=200, ge=1, description="Updates between checkpoints.")
    seed: int = Field(default=0, ge=0, description="Seed for the order of rows, dropout and new weights.")
