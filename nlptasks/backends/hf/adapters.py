"""PEFT adapters: named beside a model, or as a folder that knows its own base model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlptasks.errors import ConfigError, MissingExtraError, ModelError

if TYPE_CHECKING:
    from nlptasks.backends.hf.loading import Source

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"


def is_adapter(folder: Path) -> bool:
    """Return whether a folder holds an adapter and no model beside it."""
    return (folder / CONFIG).is_file() and not (folder / "config.json").is_file()


def followed(source: Source) -> Source:
    """Return ``source``, or for an adapter's folder its base model with that adapter.

    Raises:
        ModelError: the adapter names no base model, or one that is gone.
        ConfigError: a second adapter is asked for.
    """
    if source.folder is None or not is_adapter(source.folder):
        return source
    if source.options.adapter:
        raise ConfigError(f"{source.model!r} is an adapter itself: leave out --adapter.")
    try:
        values = json.loads((source.folder / CONFIG).read_text("utf-8"))
        base, revision = values.get("base_model_name_or_path"), values.get("revision")
    except (OSError, ValueError, RecursionError, AttributeError) as error:
        raise ModelError(f"{source.folder / CONFIG} cannot be read ({error}): save the adapter again.") from None
    if not base or (Path(base).is_absolute() and not Path(base).is_dir()):
        gone = f"lies at {base!r} no more" if base else "is not named in it"
        raise ModelError(f"{source.model!r} is an adapter whose base model {gone}: load that with --adapter this.")
    options = source.options.model_copy(update={"adapter": source.model, "revision": revision})
    return replace(source, model=base, options=options)


def add_adapter(source: Source, model: Any) -> Any:
    """Return ``model`` with the adapter of ``source`` merged in.

    Raises:
        ModelError, MissingExtraError: there is no such adapter, or no peft.
    """
    from nlptasks.backends.hf.loading import Source, loading

    try:
        from peft import PeftModel
    except ImportError:
        raise MissingExtraError("An adapter", "peft") from None
    adapter = Source(str(source.options.adapter), source.options.model_copy(update={"revision": None}))
    if adapter.folder is None and adapter.model.startswith((".", "/", "~")):
        raise ModelError(f"No adapter folder {adapter.model!r}: check the path.")
    if adapter.folder and not (adapter.folder / CONFIG).is_file():
        raise ModelError(f"{adapter.model!r} is not an adapter: it has no {CONFIG}.")
    if adapter.folder and not (adapter.folder / WEIGHTS).is_file():
        raise ModelError(f"{adapter.model!r} has no {WEIGHTS}: save the adapter as safetensors.")
    with loading(adapter):
        arguments = {"local_files_only": adapter.arguments["local_files_only"]}
        return PeftModel.from_pretrained(model, adapter.name, **arguments).merge_and_unload()
