"""From a name and options to a config, a tokenizer and weights."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from nlptasks.backends.base import warn_once
from nlptasks.backends.hf.adapters import add_adapter, followed
from nlptasks.backends.hf.packed import PACKED, unpack
from nlptasks.backends.hf.problems import translated, unreachable
from nlptasks.backends.hf.quiet import quiet
from nlptasks.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from nlptasks.backends.hf import Options

SELECTION = "sentence-selection"
INT8 = "int8"
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", PACKED)


@dataclass(frozen=True)
class Source:
    """Where a model comes from: ``model`` is a folder or a hub id."""

    model: str
    options: Options

    @property
    def folder(self) -> Path | None:
        """The model's folder, or None for a hub id."""
        path = Path(self.model).expanduser()
        return path if path.is_dir() else None

    @property
    def name(self) -> str:
        """What transformers is asked for."""
        return str(self.folder or self.model)

    @property
    def commit(self) -> str | None:
        """The commit of a hub model's downloaded config, None for a folder."""
        if self.folder is not None:
            return None
        from huggingface_hub import try_to_load_from_cache

        config = try_to_load_from_cache(self.model, "config.json", revision=self.options.revision)
        return Path(config).parent.name if isinstance(config, str) else self.options.revision

    @property
    def arguments(self) -> dict[str, Any]:
        """What every ``from_pretrained`` gets."""
        local = self.options.offline or self.folder is not None
        arguments: dict[str, Any] = {"local_files_only": local}
        if self.options.revision and self.folder is None:
            arguments["revision"] = self.options.revision
        if self.options.trust_remote_code:
            arguments["trust_remote_code"] = True
        return arguments


def reachable(source: Source) -> Source:
    """Return ``source``, offline where the hub has no address here: asking it would take half a minute of retries.

    The folder of an adapter becomes its base model with the adapter. Raises ModelError if the model was not
    downloaded before.
    """
    from huggingface_hub import constants, try_to_load_from_cache

    source = followed(source)
    check_folder(source)
    if source.folder or source.options.offline or constants.HF_HUB_OFFLINE or getproxies():
        return source
    try:
        socket.getaddrinfo(urlsplit(constants.ENDPOINT).hostname, None)
    except OSError:
        with translated(source):
            known = try_to_load_from_cache(source.model, "config.json", revision=source.options.revision)
        if not isinstance(known, str):
            raise ModelError(unreachable(source.model)) from None
        warn_once("The hub cannot be reached: what was downloaded before is used.")
        return replace(source, options=source.options.model_copy(update={"offline": True}))
    return source


@contextmanager
def loading(source: Source) -> Iterator[None]:
    """Load quietly, offline where that was asked for, with errors a user can act on."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = before or source.options.offline
    try:
        with translated(source), quiet():
            yield
    finally:
        constants.HF_HUB_OFFLINE = before


def read_config(source: Source) -> Any:
    """Return the model's config. Raises ModelError if it has none or one that transformers does not know."""
    with loading(source):
        from transformers import CONFIG_MAPPING, AutoConfig, PreTrainedConfig

        raw, _ = PreTrainedConfig.get_config_dict(source.name, **source.arguments)
        kind = raw.get("model_type")
        if kind == SELECTION:
            from nlptasks.backends.hf import selector  # noqa: F401  (makes it known to transformers)
        if kind not in CONFIG_MAPPING and not source.options.trust_remote_code:
            raise _unknown_kind(source, kind, needs_code="auto_map" in raw)
        return AutoConfig.from_pretrained(source.name, **source.arguments)


def check_folder(source: Source) -> None:
    """Raise ModelError for a folder that is missing or holds no model we may load."""
    folder = source.folder
    if folder is None:
        if source.model.startswith((".", "/", "~", "\\")) or source.model.count("/") > 1:
            raise ModelError(f"No folder {source.model!r}: check the path, or give a hub id such as owner/name.")
        return
    if not (folder / "config.json").is_file():
        raise ModelError(f"{source.model!r} is not a model: it has no config.json.")
    if any((folder / name).is_file() for name in WEIGHTS):
        return
    if any(folder.glob("pytorch_model*.bin*")):
        raise pickle_error(source)
    raise ModelError(f"{source.model!r} has no weights: it needs a model.safetensors.")


def pickle_error(source: Source) -> ModelError:
    """Return the error for a checkpoint that could run code when it is loaded."""
    return ModelError(
        f"{source.model!r} has only pickle weights (pytorch_model.bin), which may run code when loaded: if you "
        "trust them, convert them once with from_pretrained(...).save_pretrained(...), which writes safetensors."
    )


def _unknown_kind(source: Source, kind: str | None, needs_code: bool) -> ModelError:
    if needs_code:
        return ModelError(
            f"{source.model!r} brings its own Python code: allow it with --trust-remote-code if you trust it."
        )
    if kind is None:
        return ModelError(f"{source.model!r} is not a model: its config.json names no model_type.")
    return ModelError(
        f"{source.model!r} is a {kind!r} model, which this version of transformers does not know: "
        "pip install --upgrade transformers"
    )


def load_tokenizer(source: Source) -> Any:
    """Return the model's tokenizer."""
    with loading(source):
        from transformers import AutoTokenizer

        try:
            return AutoTokenizer.from_pretrained(source.name, **source.arguments)
        except (OSError, ValueError, KeyError, TypeError) as error:
            folder = source.folder
            if folder and not any(folder.glob("*token*")) and not any(folder.glob("*vocab*")):
                raise ModelError(f"{source.model!r} has no tokenizer: save one into the folder.") from error
            raise


def load_weights(source: Source, auto_class: str, config: Any, new_head: bool = False) -> Any:
    """Return the model in evaluation mode on its device, with the adapter merged in.

    With ``new_head``, what the weights lack outside of the encoder is filled at random, to be trained.
    """
    arguments = {
        **source.arguments,
        "config": config,
        "dtype": resolve_dtype(source.options, config),
        "device_map": {"": resolve_device(source.options)},
        "use_safetensors": True,
    }
    if source.options.attention:
        arguments["attn_implementation"] = source.options.attention
    with loading(source):
        import transformers

        loader: Any = getattr(transformers, auto_class)
        name: str | None = source.name
        packed = source.folder / PACKED if source.folder else None
        if packed and packed.is_file():
            # The Auto classes take no weights, the model's own class does.
            loader, name = loader._model_mapping[type(config)], None
            arguments = {**arguments, "state_dict": unpack(packed)}
        model, report = loader.from_pretrained(name, output_loading_info=True, **arguments)
        trunk = model.base_model_prefix + "."
        if missing := sorted(key for key in report["missing_keys"] if not new_head or key.startswith(trunk)):
            raise ModelError(
                f"{source.model!r} lacks {len(missing)} weights of a {type(model).__name__} "
                f"({missing[0]} ...): it was not trained for this, choose another model."
            )
    if source.options.adapter:
        model = add_adapter(source, model)
    if source.options.dtype == INT8:
        from nlptasks.backends.hf.int8 import quantise

        quantise(model)
    return model.eval()


def resolve_device(options: Options) -> str:
    """Return the torch device to use. Raises ConfigError for one that is unknown or absent."""
    import torch

    if options.device == "auto":
        return str(torch.accelerator.current_accelerator()) if torch.accelerator.is_available() else "cpu"
    try:
        torch.empty(0, device=options.device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"No device {options.device!r} here, use --device cpu: {reason}") from None
    return options.device


def resolve_dtype(options: Options, config: Any) -> Any:
    """Return the torch dtype that weights are loaded in: on a CPU float32 unless told otherwise.

    Raises:
        ConfigError: there is no such device, or it does not compute in the format.
    """
    import torch

    if options.dtype == INT8:
        if (device := resolve_device(options)) != "cpu":
            raise ConfigError(f"int8 is for a CPU, not for {device}: use --dtype bfloat16, or --device cpu.")
        return torch.float32
    if options.dtype != "auto":
        return getattr(torch, options.dtype)
    if resolve_device(options) == "cpu":
        return torch.float32
    return getattr(config, "dtype", None) or torch.float32
