"""Where rows come from and go to: a path here, or a URL that is used like one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from nlptasks.errors import InputError, MissingExtraError


def place(given: str) -> Path:
    """Return a path, or for a URL (``s3://``, ``https://`` and what else fsspec knows) what can be used like one.

    Raises:
        MissingExtraError: URLs need an extra.
        InputError: the kind of URL is not known, or what it needs is not installed.
    """
    if "://" not in given:
        return Path(given)
    try:
        from upath import UPath
    except ModuleNotFoundError:
        raise MissingExtraError("A URL", "cloud") from None
    try:
        return cast("Path", UPath(given))
    except (ValueError, ImportError) as error:
        raise InputError(f"{given} is no place for rows: {error}") from None


def is_here(path: Path) -> bool:
    """Whether a path is one of this machine."""
    return isinstance(path, Path)


@contextmanager
def reached(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong on the way to somewhere else into an InputError; here, only what the system says."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        if is_here(path) and not isinstance(error, OSError):
            raise
        raise InputError(f"{path} cannot be read: {why(error)}") from None


def why(error: Exception) -> str:
    """Return in a line what went wrong with a place."""
    return getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
