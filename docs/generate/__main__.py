"""Writes the reference from the code: ``python -m docs.generate``; with ``--check`` it only tells what is stale."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "reference"
PAGES = {
    "commands.md": "commands:page",
    "tasks.md": "contributions:tasks",
    "backends.md": "contributions:backends",
    "metrics.md": "contributions:metrics",
    "hooks.md": "contracts:hooks",
    "python.md": "contracts:python",
    "testing.md": "testing:page",
    "errors.md": "contracts:error_page",
    "settings.md": "settings:settings",
    "files.md": "settings:files",
}
OWN = "summarization,translation,question-answering,chat,embedded"
"""The plugins that come with nlptasks: others on this machine are none of the reference's business."""
NOTE = "<!-- Written by python -m docs.generate: change the code that it is taken from, not this page. -->\n\n"


def rendered() -> dict[str, str]:
    """Return the text of every page by its name."""
    os.environ["NLPTASKS_PLUGINS"] = OWN
    pages = {}
    for name, place in PAGES.items():
        module, _, function = place.partition(":")
        text = getattr(importlib.import_module(f"docs.generate.{module}"), function)()
        pages[name] = NOTE + text.rstrip() + "\n"
    return pages


def main() -> int:
    """Write the pages, or name those that are stale."""
    pages = rendered()
    if "--check" in sys.argv:
        there = {page.name: page.read_text("utf-8") for page in FOLDER.glob("*.md")}
        stale = sorted(name for name in {*there, *pages} if there.get(name) != pages.get(name))
        for name in stale:
            print(f"docs/reference/{name} is stale: python -m docs.generate")  # noqa: T201
        return 1 if stale else 0
    for name, text in pages.items():
        (FOLDER / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
