"""The plugin system: ``spec`` says what may be contributed, ``manager`` finds and isolates plugins,
``registry`` turns names into things, ``local`` loads a single file."""

from nlptasks.plugin.manager import PluginManager, manager
from nlptasks.plugin.registry import Registry, registry
from nlptasks.plugin.spec import Spec, hookimpl

__all__ = ["PluginManager", "Registry", "Spec", "hookimpl", "manager", "registry"]
