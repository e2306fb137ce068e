"""Tells one model folder from another without reading gigabytes."""

from __future__ import annotations

import hashlib
from pathlib import Path

BLOCK = 1 << 20
SUFFIXES = (".json", ".safetensors", ".jinja", ".model", ".spm", ".txt")


def fingerprint(folder: Path) -> str:
    """Return a hash of the model in ``folder``, 16 hex digits.

    Of each file its name, size, first and last MiB count: training changes every tensor, so two
    models of one shape differ there.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in SUFFIXES and path.is_file():
            size = path.stat().st_size
            digest.update(f"{path.name}\0{size}\0".encode())
            with path.open("rb") as file:
                digest.update(file.read(BLOCK))
                file.seek(max(BLOCK, size - BLOCK))
                digest.update(file.read(BLOCK))
    return digest.hexdigest()[:16]
