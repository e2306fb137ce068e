"""Which plugins the user has switched off: one name a line in a file of the user's config directory."""

from __future__ import annotations

import os
from pathlib import Path

from nlptasks.errors import ConfigError


def config_directory() -> Path:
    """Return the user's config directory for nlptasks."""
    import platformdirs

    return Path(platformdirs.user_config_dir("nlptasks"))


def _file() -> Path:
    return config_directory() / "disabled-plugins.txt"


def disabled() -> frozenset[str]:
    """Return the names of the plugins that are switched off."""
    try:
        return frozenset(_file().read_text("utf-8").split())
    except (OSError, UnicodeDecodeError):
        return frozenset()


def set_disabled(name: str, off: bool) -> bool:
    """Switch a plugin off or on; return whether that changed anything. Loads no plugin.

    Raises:
        ConfigError: the file cannot be written.
    """
    before = disabled()
    after = before | {name} if off else before - {name}
    if after != before:
        file = _file()
        scratch = file.with_suffix(f".{os.getpid()}")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            scratch.write_text("".join(f"{one}\n" for one in sorted(after)), "utf-8")
            scratch.replace(file)
        except OSError as error:
            raise ConfigError(f"{file} cannot be written: {error.strerror}") from None
    return after != before
