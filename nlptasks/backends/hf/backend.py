"""What all families share: weights that load late and leave early, identity, batches."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from typing_extensions import Self

from nlptasks.backends.base import Answer, Backend, Limits
from nlptasks.backends.hf import Options
from nlptasks.backends.hf.fingerprint import fingerprint
from nlptasks.backends.hf.loading import Source, load_tokenizer, load_weights, resolve_dtype
from nlptasks.errors import SampleError
from nlptasks.records import Failure, Request

LONGEST = 10**9
"""Tokenizers without a limit of their own name a far greater number."""


@dataclass(frozen=True, slots=True)
class CountedLimits(Limits):
    """Limits that count with the model's own tokenizer."""

    counter: Callable[[Request], int] = len  # type: ignore[assignment]

    def count(self, request: Request) -> int:
        return self.counter(request)


class HFBackend(Backend):
    """A local model. The weights load on entering or at first use, and are freed on closing."""

    Options = Options
    batch_size = 32

    auto_class: ClassVar[str]
    """The class of transformers that loads this family."""

    mapping: ClassVar[str]
    """The table of transformers that lists this family's architectures."""

    def __init__(self, source: Source, config: Any) -> None:
        self.source = source
        self.config = config
        self.options = source.options
        self.lock = threading.RLock()
        self._model: Any = None

    @abstractmethod
    def count(self, request: Request) -> int:
        """Return how many tokens ``request`` takes as the model reads it."""

    @property
    def model(self) -> Any:
        """The model, loaded when first asked for."""
        with self.lock:
            if self._model is None:
                from nlptasks.backends.hf.prepacked import prepack

                model = load_weights(self.source, self.auto_class, self.config)
                prepack(model)
                self.adopt(model)
            return self._model

    def adopt(self, model: Any) -> None:
        """Answer with ``model`` from now on, such as one that is being trained."""
        with self.lock:
            self.prepare_model(model)
            self._model = model

    def prepare_model(self, model: Any) -> None:
        """Adjust a model that was just loaded."""

    @cached_property
    def tokenizer(self) -> Any:
        """The model's tokenizer."""
        return load_tokenizer(self.source)

    @property
    def context(self) -> int | None:
        """How many tokens the model can read, or None when nothing bounds it."""
        text = self.config.get_text_config()
        known = (getattr(text, "max_position_embeddings", None), self.tokenizer.model_max_length)
        return min((size for size in known if size and 0 < size < LONGEST), default=None)

    def limits(self) -> Limits:
        return CountedLimits(self.context, self.count)

    def identity(self) -> Mapping[str, str]:
        import torch
        import transformers

        known = {
            "backend": "hf",
            "model": self.source.model,
            "revision": self.source.commit,
            "weights": fingerprint(self.source.folder) if self.source.folder else None,
            "dtype": _dtype(self.options, self.config),
            "quantisation": _quantisation(self.config),
            "adapter": self.options.adapter,
            "adapter_weights": _adapter_fingerprint(self.options),
            "attention": self.options.attention,
            "transformers": transformers.__version__,
            "torch": torch.__version__,
        }
        return {name: value for name, value in known.items() if value}

    def close(self) -> None:
        with self.lock:
            if self._model is None:
                return
            self._model = None
            free_memory()

    def __enter__(self) -> Self:
        _ = self.model
        return self


def free_memory() -> None:
    """Give memory that is no longer used back to the device."""
    import torch

    if torch.accelerator.is_available():
        torch.get_device_module().empty_cache()


def out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory ran out, on a device or beside it."""
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error)
    return "can't allocate memory" in text or "out of memory" in text


def answer_each(
    requests: Sequence[Request],
    prepare: Callable[[int, Request], Any],
    run: Callable[[list[Any]], Iterable[tuple[int, Answer]]],
) -> list[Answer]:
    """Prepare every request, run those that can be, and return all answers in the requests' order.

    ``prepare`` raises SampleError for a request that cannot be answered.
    """
    answers: dict[int, Answer] = {}
    ready = []
    for position, request in enumerate(requests):
        try:
            check_text(request)
            ready.append(prepare(position, request))
        except SampleError as error:
            answers[position] = error.failure
    answers.update(run(ready))
    return [answers[position] for position in range(len(requests))]


def check_text(request: Request) -> None:
    """Raise SampleError for text that no tokenizer reads: a character cut in half by its source."""
    texts = [*(message.content for message in request.messages), *request.fields.values(), request.continuation or ""]
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            broken = f"U+{ord(text[error.start]):04X} at character {error.start}"
            raise refuse("bad_request", f"The text has half a surrogate pair ({broken}): remove it.") from None


def refuse(kind: str, message: str) -> SampleError:
    """Return the error that makes one request a Failure of type ``kind``."""
    return SampleError(Failure(kind, message))


def _dtype(options: Options, config: Any) -> str:
    return str(resolve_dtype(options, config)).removeprefix("torch.") if options.dtype == "auto" else options.dtype


def _quantisation(config: Any) -> str | None:
    settings = getattr(config, "quantization_config", None)
    return str(getattr(settings, "quant_method", None) or settings.get("quant_method")) if settings else None


def _adapter_fingerprint(options: Options) -> str | None:
    folder = Source(options.adapter, options).folder if options.adapter else None
    return fingerprint(folder) if folder else None
