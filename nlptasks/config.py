"""The settings file ``nlptasks.toml``: here, over the one in the user's config directory."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from nlptasks.errors import ConfigError, UnknownNameError

FILE = "nlptasks.toml"
DEFAULT_MODEL = "embedded"
ENVIRONMENT = {
    "NLPTASKS_MODEL": "The model to use where `--model` names none; goes before `nlptasks.toml`.",
    "NLPTASKS_PLUGINS": "Entry points of the plugins to load, with commas between: these and no others.",
    "NLPTASKS_STRICT_PLUGINS": "1: a broken plugin is an error. 0, or not set: it is a warning.",
    "OPENAI_API_KEY": "The API key for `openai/…`; `--api-key-env` names another variable. Never written anywhere.",
    "OPENAI_BASE_URL": "Where the server of `openai/…` is, unless `--base-url` says so.",
    "HF_HUB_OFFLINE": "1: models and data of the hub come from what was downloaded before; no connection is opened.",
    "HF_HOME": "The folder that holds what was downloaded from the hub.",
    "NO_COLOR": "Anything: no colours on a terminal.",
    "_NLPTASKS_COMPLETE": "Set by a shell that wants completions; see the README.",
}
"""The environment variables that matter to nlptasks, with what each does."""


@dataclass(frozen=True)
class Config:
    """The keys of ``nlptasks.toml``."""

    model: str = DEFAULT_MODEL
    """The model to use where neither ``--model`` nor ``NLPTASKS_MODEL`` names one."""
    cache: bool = False
    """Whether completions are kept in the response cache."""
    required_plugins: tuple[str, ...] = ()
    """Plugins without which nothing runs, such as guards. The lists of both files add up."""
    backends: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Options by provider: ``[backends.openai]`` with ``base_url = "..."``; in the user's own file only."""


KINDS = {"model": str, "cache": bool, "required_plugins": list, "backends": dict}


def load() -> Config:
    """Return the settings in force.

    Raises:
        ConfigError: a file is no TOML, or a value has the wrong type.
        UnknownNameError: a key does not exist.
    """
    from nlptasks.plugin.state import config_directory

    config, here = Config(), Path(FILE)
    for path in (config_directory() / FILE, here):
        if path.is_file():
            values = _read(path)
            if path is here and "backends" in values:
                # A folder that someone else filled must not send texts and keys elsewhere, or run code.
                raise ConfigError(f"{here}: [backends] belongs into {config_directory() / FILE}.")
            config = _overlay(config, values)
    return replace(config, model=os.environ.get("NLPTASKS_MODEL") or config.model)


def _overlay(below: Config, values: Mapping[str, Any]) -> Config:
    required = (*below.required_plugins, *values.get("required_plugins", ()))
    backends = {**below.backends}
    for provider, options in values.get("backends", {}).items():
        backends[provider] = {**backends.get(provider, {}), **options}
    return replace(below, **{**values, "required_plugins": required, "backends": backends})


def _read(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        values: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, OSError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    known = [one.name for one in fields(Config)]
    for key, value in values.items():
        if key not in known:
            raise UnknownNameError("key", key, known, f"In {path}.")
        if not isinstance(value, KINDS[key]):
            raise ConfigError(f"{path}: {key} must be a {KINDS[key].__name__}, not {value!r}")
    for provider, options in values.get("backends", {}).items():
        if not isinstance(options, dict):
            raise ConfigError(f"{path}: backends.{provider} must be a table of options, not {options!r}")
    return values
