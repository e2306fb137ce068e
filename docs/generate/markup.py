"""A hook of mkdocs: turns into plain Markdown what only these pages say."""

from __future__ import annotations

import re
from typing import Any

EQUATION = re.compile(r"^\$\$(.+?)\$\$$", re.DOTALL | re.MULTILINE)
MARKED = re.compile(r"^(```[a-z]+) [a-z]+$", re.MULTILINE)
"""A fence that says what its block needs, such as ``bash server``: that is for tests, not for readers."""


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return a page with equations as MathML, which browsers draw without a script, and fences without marks."""
    from latex2mathml.converter import convert

    equations = EQUATION.sub(lambda found: convert(found[1], display="block"), markdown)
    return MARKED.sub(r"\1", equations)
