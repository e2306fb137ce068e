"""Every error a user can meet. Each message is one line that says what to do next.

NLPTasksError                 exit code 1
├── UsageError                exit code 2: the call is wrong, not the work
│   ├── UnknownNameError      no such task, backend, model, plugin ... (names the nearest)
│   ├── InputError            a file, column or text that cannot be read
│   └── ConfigError           nlptasks.toml, an environment variable or an option's value
├── PluginError               a plugin that does not load or breaks its contract
│   └── CollisionError        one name, claimed by two plugins
├── BackendError              a backend that cannot answer at all
│   ├── ModelError            a model that cannot be found or loaded
│   ├── MissingExtraError     a package that an extra would bring
│   └── UnsupportedError      a task or option this backend cannot do
├── RunError                  a run directory that does not fit, or cannot be written
├── SampleError               one sample that failed, raised where only one was asked for
└── StoppedError              exit code 130: stopped by the user, and resumable
"""

from __future__ import annotations

from collections.abc import Iterable

from nlptasks.records import Failure


class NLPTasksError(Exception):
    """The root of all errors raised on purpose by nlptasks."""

    exit_code = 1


class UsageError(NLPTasksError):
    """The call is wrong."""

    exit_code = 2


class UnknownNameError(UsageError):
    """No such task, backend, model, plugin, column or option."""

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        nearest = closest(name, known)
        suggestion = f" Did you mean {nearest!r}?" if nearest else ""
        super().__init__(f"Unknown {kind} {name!r}.{suggestion}{' ' + hint if hint else ''}")


class InputError(UsageError):
    """A file, column or text that cannot be read."""


class ConfigError(UsageError):
    """A setting with a wrong value."""


class PluginError(NLPTasksError):
    """A plugin that does not load or breaks its contract."""


class CollisionError(PluginError):
    """One name, claimed by two plugins."""


class BackendError(NLPTasksError):
    """A backend that cannot answer at all."""


class ModelError(BackendError):
    """A model that cannot be found or loaded."""


class MissingExtraError(BackendError):
    """A package that an extra of ``distribution`` would bring."""

    def __init__(self, what: str, extra: str, distribution: str = "nlptasks") -> None:
        super().__init__(f"{what} needs an extra: pip install '{distribution}[{extra}]'")


class UnsupportedError(BackendError):
    """A task or option that this backend cannot do."""


class RunError(NLPTasksError):
    """A run directory that does not fit, or cannot be written."""


class SampleError(NLPTasksError):
    """One sample that failed; ``failure`` says how."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class StoppedError(NLPTasksError):
    """The user stopped a run that can be resumed."""

    exit_code = 130


def raised_by(who: str, error: BaseException) -> str:
    """Return in one line who raised what it must not, where it is a third party's code that did."""
    if isinstance(error, SystemExit):
        return f"{who} called sys.exit({error.code!r})"
    return f"{who} raised {type(error).__name__}: {' '.join(str(error).split())}"


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name nearest to ``name``, or None when none is near."""
    from rapidfuzz import fuzz, process, utils

    if len(utils.default_process(name)) < 2:  # everything is near a single letter
        return None
    match = process.extractOne(name, list(known), scorer=fuzz.WRatio, processor=utils.default_process, score_cutoff=70)
    return match[0] if match else None
