"""From what transformers' ``pipeline`` takes for a model to a backend."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nlptasks import config as settings
from nlptasks.backends.base import Backend, warn_once
from nlptasks.backends.factory import options_model, provider_factory, wrapped
from nlptasks.backends.hf.backend import HFBackend
from nlptasks.errors import ConfigError, UnsupportedError
from nlptasks.job import prepare
from nlptasks.pipelines.calling import Verbatim, generation_settings
from nlptasks.plugin import registry


@dataclass(frozen=True)
class Model:
    """A backend with its wrappers and the ``bare`` one inside them.

    ``defaults`` are arguments of every call, ``generation`` is what an encoder-decoder's checkpoint says
    about generation.
    """

    backend: Backend
    bare: Backend
    defaults: Mapping[str, Any]
    generation: Mapping[str, Any] = field(default_factory=dict)


def _device(value: Any) -> str:
    """Return the torch device for -1 (the CPU), the number of an accelerator, a name or a torch.device."""
    if not isinstance(value, int):
        return str(value)
    if value < 0:
        return "cpu"
    import torch

    accelerator = torch.accelerator.current_accelerator()
    return f"{accelerator.type if accelerator else 'cuda'}:{value}"


def _device_of_map(value: Any) -> str:
    if isinstance(value, Mapping):
        if set(value) != {""}:
            raise ConfigError("A model is not split over devices here: give one, as in device=0.")
        return _device(value[""])
    return "auto" if value in ("auto", "balanced", "balanced_low_0", "sequential") else _device(value)


def _dtype(value: Any) -> str:
    return str(value).removeprefix("torch.")


OPTIONS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "device": ("device", _device),
    "device_map": ("device", _device_of_map),
    "dtype": ("dtype", _dtype),
    "torch_dtype": ("dtype", _dtype),
    "attn_implementation": ("attention", str),
    "local_files_only": ("offline", bool),
    "revision": ("revision", str),
    "trust_remote_code": ("trust_remote_code", bool),
}
"""Loading arguments, with the backend's option each sets."""

LOGIN = "Log in with `hf auth login`."
INSTEAD = {"token": LOGIN, "use_auth_token": LOGIN, "cache_dir": "Set HF_HOME."}
"""What to do in place of an argument that has no effect."""
PARTS = ("config", "feature_extractor", "image_processor", "processor")


def load(model: Any, arguments: Mapping[str, Any]) -> Model:
    """Return the backend that ``model`` names. Loads no weights.

    Raises:
        ConfigError, UnsupportedError: an argument.
        BackendError: the model.
    """
    arguments = {name: value for name, value in arguments.items() if value is not None}
    if isinstance(model, Backend):
        return Model(wrapped(model), model, arguments, _generation(model))
    whole = hasattr(model, "config") and hasattr(model, "name_or_path")
    name = f"hf/{model.name_or_path}" if whole else model_name(model)
    tokenizer = _parts(name, arguments)
    options, defaults = _sorted(name, arguments)
    # The cache cannot tell a loaded model, or a tokenizer from elsewhere, from what the name stands for.
    job = prepare(Verbatim(), {}, options, name, cache=False if whole or tokenizer is not None else None)
    bare = _adopted(model, options) if whole else job.factory.bare()
    if tokenizer is not None:
        _set_tokenizer(bare, tokenizer)
    generation = generation_settings(model.generation_config) if whole and model.can_generate() else _generation(bare)
    return Model(wrapped(bare, job.factory.cache), bare, defaults, generation)


def model_name(model: str | os.PathLike[str] | None) -> str:
    """Return the ``provider/model`` that a folder, a hub id or a name of our own stands for."""
    if model is None:
        return settings.load().model
    name = os.fspath(model)
    providers = {entry.spec.name for entry in registry().entries("backend")}
    is_model = (Path(name).expanduser() / "config.json").is_file()
    return name if not is_model and name.partition("/")[0].rpartition(":")[2] in providers else f"hf/{name}"


def _parts(name: str, arguments: dict[str, Any]) -> Any:
    """Take out the parts given beside the model; return a tokenizer other than its own, refuse any other part."""
    own = name.partition("/")[2]
    given = {part: arguments.pop(part) for part in PARTS if part in arguments}
    foreign = {part: value for part, value in given.items() if str(getattr(value, "name_or_path", value)) != own}
    for part in foreign:
        raise UnsupportedError(f"A model has its own {part}: save yours into its folder and leave out {part}=.")
    tokenizer = arguments.pop("tokenizer", None)
    return None if isinstance(tokenizer, (str, os.PathLike)) and os.fspath(tokenizer) == own else tokenizer


def _sorted(name: str, arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tell options of the backend from defaults for calls."""
    model = options_model(provider_factory(name))
    known = set(model.model_fields) if model else set()
    of_model = arguments.pop("model_kwargs", {})
    options, defaults = {}, {}
    for argument, value in {**of_model, **arguments}.items():
        option, convert = OPTIONS.get(argument, (argument, None))
        if argument in ("pipeline_class", "subfolder"):
            raise UnsupportedError(f"{argument} has no counterpart here: leave it out.")
        if option in known:
            options[option] = convert(value) if convert else value
        elif argument in OPTIONS or argument in INSTEAD or argument in of_model:
            warn_once(f"{argument} has no effect on {name}. {INSTEAD.get(argument, '')}".strip())
        else:
            defaults[argument] = value
    return options, defaults


def _adopted(model: Any, options: dict[str, Any]) -> HFBackend:
    """Return a backend around a model that the caller has loaded; the caller's own is left as it is."""
    from nlptasks.backends.hf import Options
    from nlptasks.backends.hf.families import backend_class
    from nlptasks.backends.hf.loading import Source

    if hasattr(model, "get_base_model"):  # adapters of peft sit inside the layers of the base model
        model = model.get_base_model()
    if device := options.pop("device", None):
        model = model.to(device)
    for option in options:
        warn_once(f"{option} has no effect on a model that is loaded already.")
    config = copy.copy(model.config)
    config.architectures = [type(model).__name__]
    source = Source(model.name_or_path, Options(device=str(model.device)))
    backend = backend_class(source, config)(source, config)
    backend._model = copy.copy(model).eval()
    backend.prepare_model(backend._model)
    return backend


def _set_tokenizer(bare: Backend, tokenizer: Any) -> None:
    from nlptasks.backends.hf.loading import Source, load_tokenizer

    if not isinstance(bare, HFBackend):
        raise UnsupportedError("This backend has a tokenizer of its own: leave out tokenizer=.")
    named = isinstance(tokenizer, (str, os.PathLike))
    bare.tokenizer = load_tokenizer(Source(os.fspath(tokenizer), bare.options)) if named else tokenizer


def _generation(bare: Backend) -> dict[str, Any]:
    """Return what the checkpoint of an encoder-decoder says about generation."""
    from nlptasks.backends.hf.seq2seq import Seq2SeqBackend

    if not isinstance(bare, Seq2SeqBackend):
        return {}
    from transformers import GenerationConfig

    arguments = {name: value for name, value in bare.source.arguments.items() if name != "trust_remote_code"}
    try:
        config = GenerationConfig.from_pretrained(bare.source.name, **arguments)
    except OSError:  # an older checkpoint says it in its config
        config = GenerationConfig.from_model_config(bare.config)
    return generation_settings(config)
