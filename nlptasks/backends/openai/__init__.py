"""The backend ``openai/<model>``: any server that speaks OpenAI's chat completions, in the cloud or at home."""

from __future__ import annotations

import os
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from nlptasks.backends.base import Backend

DEFAULT_BASE_URL = "https://api.openai.com/v1"


def _base_url() -> tuple[str, ...]:
    return (os.environ.get("OPENAI_BASE_URL") or DEFAULT_BASE_URL,)


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class Options(BaseModel):
    """How to reach the server. The API key is no option: it stays in the environment."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: Annotated[tuple[str, ...], BeforeValidator(_several)] = Field(
        default_factory=_base_url,
        min_length=1,
        description=f"Where the server is, repeatable for several with the same model; $OPENAI_BASE_URL, "
        f"or else {DEFAULT_BASE_URL}.",
    )
    concurrency: int = Field(
        default=256, ge=1, description="Most requests at once; how many of these the server can take is found out."
    )
    timeout: float = Field(default=300.0, gt=0, description="Seconds one try may take, connecting and reading.")
    max_retries: int = Field(default=5, ge=0, description="Tries after the first, where trying again can help.")
    api_key_env: str = Field(default="OPENAI_API_KEY", description="Environment variable that holds the API key.")


def load(model: str, options: Options) -> Backend:
    """Return the backend for ``model`` as the server names it. Sends nothing yet.

    Raises ``ConfigError`` for a base URL or an API key that no server could be reached with.
    """
    from nlptasks.backends.openai.backend import OpenAIBackend

    return OpenAIBackend(model, options)
