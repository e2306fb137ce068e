"""The processor of a vision model, without torchvision where that is not installed."""

from __future__ import annotations

from typing import Any

from nlptasks.backends.hf.loading import Source, loading


def load_processor(source: Source, config: Any) -> Any:
    """Return the model's processor with PIL image processing."""
    with loading(source):
        from transformers import AutoImageProcessor, AutoProcessor, AutoTokenizer
        from transformers.models.auto.processing_auto import PROCESSOR_MAPPING
        from transformers.utils import is_torchvision_available

        kind = PROCESSOR_MAPPING.get(type(config), None)
        parts = kind.get_attributes() if kind else []
        if is_torchvision_available() or "video_processor" not in parts:
            return AutoProcessor.from_pretrained(source.name, **source.arguments)
        # Video processors need torchvision even where only images are read: leave that part empty.
        settings, _ = kind.get_processor_dict(source.name, **source.arguments)
        loaders = {"tokenizer": AutoTokenizer, "image_processor": AutoImageProcessor}
        loaded = [
            loaders[part].from_pretrained(source.name, **source.arguments) if part in loaders else None
            for part in parts
        ]
        return _without_video(kind).from_args_and_dict(loaded, settings)


def _without_video(kind: Any) -> Any:
    def check(self: Any, name: str, part: Any) -> Any:
        return None if part is None else kind.check_argument_for_proper_class(self, name, part)

    return type(kind.__name__, (kind,), {"check_argument_for_proper_class": check})
