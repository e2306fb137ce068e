from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from nlptasks.backends.hf import Options, load
from nlptasks.backends.hf.loading import load_weights
from nlptasks.records import Completion, GenerationConfig, Message, Request
from tests.conftest import Tiny

Open = Callable[..., Any]


@pytest.fixture(scope="session")
def hf(tiny: Tiny) -> Iterator[Open]:
    """Load a tiny model through the real path, once for the same family and options."""
    loaded: dict[tuple[Any, ...], Any] = {}
    with ExitStack() as stack:

        def open_model(family: str | Path, **options: Any) -> Any:
            key = (str(family), *sorted(options.items()))
            if key not in loaded:
                path = family if isinstance(family, Path) else tiny(family)
                loaded[key] = stack.enter_context(load(str(path), Options(**options)))
            return loaded[key]

        yield open_model


def ask(*texts: str, task: str = "chat", fields: Mapping[str, str] | None = None, **config: Any) -> Request:
    """A request of one user message, or of system and user message."""
    roles = ("user",) if len(texts) == 1 else ("system", "user")
    messages = tuple(Message(role, text) for role, text in zip(roles, texts, strict=True))  # type: ignore[arg-type]
    return Request(messages, task, fields or {}, GenerationConfig(**config))


def completion(backend: Any, request: Request) -> Completion:
    [answer] = backend.complete([request])
    assert isinstance(answer, Completion), answer
    return answer


def loaded(backend: Any) -> Any:
    """The backend's model as transformers loads it, its weights to be changed."""
    return load_weights(backend.source, backend.auto_class, backend.config)


def teach(folder: Path, lessons: list[tuple[Request, str]], into: Path) -> Path:
    """Train a copy of a tiny model until it gives these answers, tags and end token included."""
    import shutil

    import torch

    shutil.copytree(folder, into)
    with load(str(into), Options()) as backend, torch.random.fork_rng([]):
        torch.manual_seed(0)
        rows = [_lesson(backend, request, answer) for request, answer in lessons]
        model = loaded(backend).train()
        unsaved = set(model._keys_to_ignore_on_save or ())  # Marian's positions: learned, they would be lost
        learned = [parameter for name, parameter in model.named_parameters() if name not in unsaved]
        optimizer = torch.optim.AdamW(learned, lr=1e-2)
        for _ in range(150):
            loss = sum(model(**row).loss for row in rows)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if loss.item() < 0.02 * len(rows):
                break
        model.eval().save_pretrained(into)
    return into


def _lesson(backend: Any, request: Request, answer: str) -> dict[str, Any]:
    import torch

    prompt = list(backend.prompt(0, request).ids)
    if backend.decoder_only:
        end = backend.published["eos_token_id"]
        target = [*backend.tokenizer(answer, add_special_tokens=False)["input_ids"], end]
        ids = torch.tensor([prompt + target])
        return {"input_ids": ids, "labels": torch.tensor([[-100] * len(prompt) + target])}
    target = backend.tokenizer(text_target=answer)["input_ids"]
    return {"input_ids": torch.tensor([prompt]), "labels": torch.tensor([target])}
