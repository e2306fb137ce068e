"""The backends that come with nlptasks itself, named without importing them."""

from __future__ import annotations

from nlptasks.plugin.spec import Spec, hookimpl


@hookimpl
def register_backends() -> list[Spec]:
    """The built-in providers."""
    return [
        Spec("hf", "nlptasks.backends.hf:load", "Hugging Face models by transformers and torch: hf/<hub id or folder>"),
        Spec("openai", "nlptasks.backends.openai:load", "any OpenAI-compatible server: openai/<model> --base-url URL"),
        Spec("echo", "nlptasks.backends.echo:load", "repeats what it is given; for tests and plugin authors"),
    ]
