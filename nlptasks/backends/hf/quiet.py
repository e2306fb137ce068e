"""No warnings and progress bars from transformers while it works for us."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from logging import ERROR

NOISY = r"transformers|peft|torch|huggingface_hub|accelerate"

_lock = threading.Lock()
_depth = 0
_undo = ExitStack()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep these libraries quiet; their settings come back when the last of all threads leaves."""
    global _depth
    with _lock:
        if _depth == 0:
            _hush(_undo)
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                _undo.close()


def _hush(undo: ExitStack) -> None:
    from huggingface_hub.utils import logging as hub_logging
    from transformers.utils import logging

    undo.callback(hub_logging.set_verbosity, hub_logging.get_verbosity())
    hub_logging.set_verbosity(ERROR)
    undo.enter_context(warnings.catch_warnings())
    warnings.filterwarnings("ignore", module=NOISY)
    undo.callback(logging.set_verbosity, logging.get_verbosity())
    logging.set_verbosity_error()
    if logging.is_progress_bar_enabled():
        undo.callback(logging.enable_progress_bar)
        logging.disable_progress_bar()
