from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from nlptasks.backends.hf import Options, load
from nlptasks.explain.explanation import Explanation, Subject
from nlptasks.explain.families import explain
from tests.conftest import Tiny

Look = Callable[..., Explanation]
Opened = Callable[[str | Path], Any]


@pytest.fixture(scope="session")
def opened(tiny: Tiny) -> Iterator[Opened]:
    """Load a tiny model, or one of a folder, with eager attention, once for all tests."""
    loaded: dict[str | Path, Any] = {}
    with ExitStack() as stack:

        def open_model(family: str | Path) -> Any:
            if family not in loaded:
                path = family if isinstance(family, Path) else tiny(family)
                loaded[family] = stack.enter_context(load(str(path), Options(device="cpu", attention="eager")))
            return loaded[family]

        yield open_model


@pytest.fixture(scope="session")
def look(opened: Opened) -> Look:
    """Have a model read a text: ``look("gpt2", "Hello")``."""
    return lambda family, text, **more: explain(opened(family), Subject(text, **more))
