"""Passes every request and completion through the plugins' guards. Guards fail closed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass
from typing import Any, TypeVar

from nlptasks.backends.base import Answer, Backend, K, Limits, Preview, Session
from nlptasks.backends.wrapper import Wrapper, WrapperSession
from nlptasks.errors import PluginError
from nlptasks.plugin.isolation import stdout_aside, whereabouts
from nlptasks.plugin.manager import Plugin, PluginManager
from nlptasks.records import Completion, Delta, Failure, Message, Request, jsonable

T = TypeVar("T")
States = list[tuple[str, Any]]
GUARD = "guard"
"""The type of a Failure that tells of a guard, and quotes nothing."""


class GuardError(PluginError):
    """A guard did not do its work. The message holds nothing of the text it was given."""


class Guards:
    """The guards of all plugins: in calling order before generation, in reverse after it."""

    def __init__(self, plugins: PluginManager) -> None:
        self._before = list(plugins.implementations("before_generate"))
        self._after = {plugin.name: (plugin, call) for plugin, call in plugins.implementations("after_generate")}

    @property
    def names(self) -> str:
        """The plugins that guard, with their versions."""
        plugins = [plugin for plugin, _ in self._before] + [plugin for plugin, _ in self._after.values()]
        return ", ".join(dict.fromkeys(plugin.label for plugin in plugins))

    def __bool__(self) -> bool:
        return bool(self._before or self._after)

    def before(self, request: Request) -> tuple[Request, States]:
        """Return the request to send, and what ``after`` needs.

        Raises:
            GuardError: a guard raised, or returned something else than a request and a state.
        """
        states: States = []
        for plugin, call in self._before:
            result = _call(plugin, lambda call=call, request=request: call(request=request))
            if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[0], Request)):
                raise GuardError(f"The guard of plugin {plugin.label} returned no (request, state); nothing was sent.")
            request = result[0]
            states.append((plugin.name, result[1]))
        return request, states

    def after(self, completion: Completion, states: States) -> Completion:
        """Return the completion as the user may see it.

        Raises:
            GuardError: a guard raised, or returned something else than a completion.
        """
        given = dict(states)
        silent = [name for name in self._after if name not in given]
        for name in [*reversed(given), *silent]:
            if name not in self._after:
                continue
            plugin, call = self._after[name]
            now, state = completion, given.get(name)
            completion = _call(plugin, lambda call=call, now=now, state=state: call(completion=now, state=state))
            if not isinstance(completion, Completion):
                raise GuardError(f"The guard of plugin {plugin.label} returned no completion; the answer is withheld.")
        return completion

    def redact(self, value: T) -> T:
        """Return a JSON-like value or record with every text as a guard would send it: what may be kept on disk.

        Raises:
            GuardError: as ``before``.
        """
        if not self:
            return value
        texts: list[str] = []
        _walk(value, lambda text: texts.append(text) or text)  # type: ignore[func-returns-value]
        if not texts:
            return value
        request, _ = self.before(Request(tuple(Message("user", text) for text in texts)))
        if len(request.messages) != len(texts):
            raise GuardError("A guard changed the number of messages; nothing was kept.")
        changed = iter(message.content for message in request.messages)
        redacted: T = _walk(value, lambda text: next(changed))
        return redacted

    def tell(self, failure: Failure) -> str:
        """Return a failure's message as it may stand in a log or on stderr: a task may have quoted an answer in it."""
        if failure.type == GUARD:
            return failure.message
        try:
            return self.redact(failure.message)
        except GuardError as error:
            return str(error)


class Guarded(Wrapper):
    """The outermost wrapper: what lies within sees guarded text only."""

    def __init__(self, inner: Backend, guards: Guards) -> None:
        super().__init__(inner)
        self.guards = guards

    def open(self) -> Session[Any]:
        return _GuardedSession(self.inner.open(), self.guards)

    def identity(self) -> Mapping[str, str]:
        return {**self.inner.identity(), **({"guards": self.guards.names} if self.guards else {})}

    def preview(self, request: Request) -> Preview:
        return self.inner.preview(self.guards.before(request)[0])

    def limits(self) -> Limits:
        inner = self.inner.limits()
        return _GuardedLimits(inner.context, inner=inner, guards=self.guards)

    def stream(self, request: Request) -> Iterator[Delta | Answer]:
        """Stream nothing before the whole answer has passed the guards: then one Delta."""
        try:
            request, states = self.guards.before(request)
        except GuardError as error:
            yield _failure(error)
            return
        for item in self.inner.stream(request):
            if isinstance(item, Delta):
                continue
            answer = _after(self.guards, item, states)
            if isinstance(answer, Completion):
                yield Delta(answer.text, answer.reasoning)
            yield answer


@dataclass(frozen=True)
class _GuardedLimits(Limits):
    """Counts what would be sent: a backend may have to ask its server for that."""

    inner: Limits = field(kw_only=True)
    guards: Guards = field(kw_only=True)

    def count(self, request: Request) -> int:
        return self.inner.count(self.guards.before(request)[0])


class _GuardedSession(WrapperSession[K]):
    def __init__(self, inner: Session[K], guards: Guards) -> None:
        super().__init__(inner)
        self._guards = guards
        self._states: dict[K, States] = {}

    def put(self, key: K, request: Request) -> None:
        try:
            request, self._states[key] = self._guards.before(request)
        except GuardError as error:
            self.ready.append((key, _failure(error)))
        else:
            self.inner.put(key, request)

    def received(self, key: K, answer: Answer) -> tuple[K, Answer]:
        return key, _after(self._guards, answer, self._states.pop(key))


def _after(guards: Guards, answer: Answer, states: States) -> Answer:
    if not isinstance(answer, Completion):
        return answer
    try:
        return guards.after(answer, states)
    except GuardError as error:
        return _failure(error)


def _failure(error: GuardError) -> Failure:
    return Failure(GUARD, str(error))


def _call(plugin: Plugin, call: Any) -> Any:
    try:
        with stdout_aside():
            return call()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        message = f"The guard of plugin {plugin.label} raised {whereabouts(error)}; nothing was sent or shown."
        raise GuardError(message) from None


def _walk(value: Any, change: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _walk(item, change) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_walk(item, change) for item in value]
    return _walk(jsonable(value), change) if is_dataclass(value) else value
