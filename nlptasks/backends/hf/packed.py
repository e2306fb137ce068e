"""Weights stored as eight-bit integers, a scale for each row: a quarter of the bytes, unpacked when they load.

Only the storage is small: a model computes with what was unpacked, unless it is loaded as ``int8``.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

PACKED = "model.int8.safetensors"
WHOLE = "model.safetensors"
SCALE = ".scale"


def pack(folder: Path, output: Path) -> None:
    """Write the model of ``folder`` into ``output``: matrices as integers, the rest in half the bytes.

    Weights that the model shares between layers are stored once, as they were.
    """
    from safetensors.torch import load_file, save_file

    from nlptasks.backends.hf.int8 import quantised

    output.mkdir(parents=True, exist_ok=True)
    packed: dict[str, Any] = {}
    for name, weight in load_file(folder / WHOLE).items():
        if weight.is_floating_point() and weight.ndim == 2:
            packed[name], scale = quantised(weight)
            packed[name + SCALE] = scale[:, 0].contiguous()
        else:
            packed[name] = weight.half() if weight.is_floating_point() else weight
    save_file(packed, output / PACKED, metadata={"format": "pt"})
    for path in folder.iterdir():
        if path.is_file() and path.suffix != ".safetensors":
            shutil.copy(path, output)


def unpack(file: Path) -> dict[str, Any]:
    """Return the weights that ``pack`` stored, in float32."""
    from safetensors.torch import load_file

    stored = load_file(file)
    weights: dict[str, Any] = {}
    for name, value in stored.items():
        if (scale := stored.get(name + SCALE)) is not None:
            weights[name] = value.float() * scale[:, None]
        elif not (name.endswith(SCALE) and name.removesuffix(SCALE) in stored):
            weights[name] = value.float() if value.is_floating_point() else value
    return weights
