"""From a model's name to a backend: what is asked for, and what of it is converted already."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nlptasks import Backend, ModelError
from nlptasks.backends.hf.quiet import quiet

READ = ["*.json", "*.safetensors", "*.model", "*.spm", "*.txt", "*.jinja"]
"""What is downloaded of a model: no pickled weights, which may run code."""


class Options(BaseModel):
    """How to convert and run a model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    compute_type: Literal["int8", "int8_float16", "float16", "float32"] = Field(
        default="int8", description="Number format of the converted weights."
    )
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="Where to compute.")


def load(model: str, options: Options) -> Backend:
    """Return the backend for ``model``, a folder or a hub id. Reads its config, not its weights.

    Raises:
        ModelError: there is no such model, or it is none that answers with text.
    """
    if not model:
        raise ModelError("Name a model: ctranslate2/<hub id or folder>.")
    from transformers import AutoConfig

    from nlptasks_ctranslate2.backend import Generating, Translating

    try:
        with quiet():
            folder = _folder(model)
            config = AutoConfig.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise ModelError(f"{model!r} cannot be loaded: {' '.join(str(error).split())}") from error
    return (Translating if config.is_encoder_decoder else Generating)(model, folder, config, options)


def converted(folder: Path, options: Options) -> Path:
    """Return the converted model, which is made where this one has not been asked for before.

    Raises:
        ModelError: CTranslate2 cannot convert it.
    """
    import ctranslate2
    import platformdirs
    from ctranslate2.converters import TransformersConverter

    home = Path(platformdirs.user_cache_dir("nlptasks")) / "ctranslate2"
    made = home / fingerprint(folder, ctranslate2.__version__, options.compute_type)
    if not made.is_dir():
        home.mkdir(parents=True, exist_ok=True)
        try:
            with quiet(), tempfile.TemporaryDirectory(dir=home) as scratch:
                TransformersConverter(str(folder)).convert(f"{scratch}/new", quantization=options.compute_type)
                Path(scratch, "new").rename(made)
        except Exception as error:  # whatever the model's own parts raise
            reason = " ".join(str(error).split())
            raise ModelError(f"CTranslate2 cannot convert {str(folder)!r}: {reason}") from error
    return made


def fingerprint(folder: Path, *more: str) -> str:
    """Return what tells a model's files from others, by their names, sizes and times, as 16 hex digits."""
    files = sorted(file for file in folder.iterdir() if file.is_file())
    known = [str(folder.resolve()), *((file.name, *_size_and_time(file)) for file in files), *more]
    return hashlib.sha256(repr(known).encode()).hexdigest()[:16]


def _size_and_time(file: Path) -> tuple[int, int]:
    known = file.stat()
    return known.st_size, known.st_mtime_ns


def _folder(model: str) -> Path:
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(model, allow_patterns=READ))
