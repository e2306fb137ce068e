"""Image-text-to-text models: chat with pictures in it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from nlptasks.backends.base import Capability
from nlptasks.backends.hf.backend import refuse
from nlptasks.backends.hf.batching import Prompt
from nlptasks.backends.hf.causal import CausalBackend
from nlptasks.backends.hf.processor import load_processor
from nlptasks.backends.hf.quiet import quiet
from nlptasks.errors import ModelError
from nlptasks.records import Message, Request


class VisionBackend(CausalBackend):
    """LLaVA, Qwen-VL, SmolVLM and their relatives. Each prompt runs alone: every processor lays out its own tensors."""

    auto_class = "AutoModelForImageTextToText"
    mapping = "MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES"
    capabilities = frozenset({Capability.CHAT, Capability.VISION, Capability.SCHEMA})

    @property
    def decoder_only(self) -> bool:  # type: ignore[override]
        return not self.config.is_encoder_decoder

    @cached_property
    def processor(self) -> Any:
        """What turns text and images into the model's inputs."""
        processor = load_processor(self.source, self.config)
        if not getattr(processor, "chat_template", None):
            raise ModelError(f"{self.source.model!r} has no chat template: choose a model made for instructions.")
        return processor

    @cached_property
    def tokenizer(self) -> Any:
        return self.processor.tokenizer

    @property
    def template(self) -> str | None:
        return str(self.processor.chat_template)

    def tokens(self, request: Request) -> list[int]:
        ids: list[int] = self._inputs(request)["input_ids"][0].tolist()
        return ids

    def prompt(self, position: int, request: Request) -> Prompt:
        if request.continuation is not None:
            raise refuse("unsupported", f"{self.source.model!r} gives no log-likelihoods: choose a causal model.")
        inputs = self._inputs(request)
        return self.planned(position, request, inputs["input_ids"][0].tolist(), tensors=inputs)

    def collate(self, batch: Sequence[Prompt]) -> dict[str, Any]:
        [prompt] = batch
        model = self.model
        return {
            name: tensor.to(model.device, model.dtype if tensor.is_floating_point() else None)
            for name, tensor in prompt.tensors.items()
        }

    def _inputs(self, request: Request) -> Any:
        chat = [{"role": message.role, "content": _parts(message)} for message in request.messages]
        with self.lock, quiet():
            return self.render(chat, request)

    def _apply_template(self, chat: list[dict[str, Any]], arguments: Mapping[str, Any]) -> Any:
        arguments = {
            "tokenize": True,
            "return_dict": True,
            "return_tensors": "pt",
            "add_generation_prompt": True,
            **arguments,
        }
        try:
            return self.processor.apply_chat_template([chat], sanitize_control_tokens=True, **arguments)
        except NotImplementedError:  # the tokenizer, not the template, writes the first token
            return self.processor.apply_chat_template([chat], **arguments)


def _parts(message: Message) -> list[dict[str, Any]]:
    images = [{"type": "image", "image": read_image(image)} for image in message.images]
    return [*images, {"type": "text", "text": message.content}]


def read_image(data: bytes) -> Any:
    """Return a PIL image, upright and in RGB. Raises SampleError for what is no image."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    except UnidentifiedImageError:
        raise refuse("bad_request", "An image cannot be read: it is no PNG, JPEG or other known format.") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise refuse("bad_request", f"An image cannot be read: {error}") from error
