"""Single-file plugins: a Python file with hook implementations, named on the command line."""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from nlptasks.errors import PluginError


def load(path: Path) -> ModuleType:
    """Import a file as the module named by its stem, so that its Specs can say ``"stem:attribute"``.

    Raises:
        PluginError: the stem is no module name, or another module has it.
    """
    name = path.stem
    if not name.isidentifier() or path.suffix != ".py":
        raise PluginError(f"{path.name} cannot be imported: name it like a Python module, such as my_plugin.py")
    if name in sys.modules or _is_another(importlib.util.find_spec(name), path):
        raise PluginError(f"a module named {name!r} exists already: rename the file")
    module_spec = importlib.util.spec_from_file_location(name, path)
    if module_spec is None or module_spec.loader is None:
        raise PluginError(f"{path.name} cannot be imported")
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[name] = module
    try:
        module_spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _is_another(found: ModuleSpec | None, path: Path) -> bool:
    """Whether a module is not this very file, which is found too where its folder is on ``sys.path``."""
    return found is not None and (found.origin is None or Path(found.origin).resolve() != path.resolve())
