"""A model small enough to be trained in a test."""

from __future__ import annotations

from pathlib import Path


def train(data: Path, folder: Path) -> None:
    """Train what ``nlptasks train text-generation --from-scratch`` trains on the lines of ``data``."""
    import nlptasks

    nlptasks.train("text-generation", data, config="tiny", output=folder, device="cpu")
