"""Passes every request and completion through the plugins' guards. Guards fail closed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, is_dataclass
from typing import Any, TypeVar

from nlptasks.backends.base import Answer, Backend, K, Limits, Preview, Session, Show
from nlptasks.backends.guarded_stream import Source, ended, withhold
from nlptasks.backends.wrapper import Hand, Wrapper, WrapperSession
from nlptasks.errors import PluginError
from nlptasks.plugin.isolation import stdout_aside, whereabouts
from nlptasks.plugin.manager import Plugin, PluginManager
from nlptasks.records import Completion, Delta, Failure, Message, Request, jsonable

T = TypeVar("T")
States = list[tuple[str, Any]]
GUARD = "guard"
"""The type of a Failure that tells of a guard, and quotes nothing."""
LONG_NUMBER = 10**6
"""From here on a number may be someone's: a telephone's, a card's."""


class GuardError(PluginError):
    """A guard did not do its work. The message holds nothing of the text it was given."""


class Guards:
    """The guards of all plugins: in calling order before generation, in reverse after it."""

    def __init__(self, plugins: PluginManager) -> None:
        self._before = list(plugins.implementations("before_generate"))
        self._during = {plugin.name: call for plugin, call in plugins.implementations("during_generate")}
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
        for name, state in self._backwards(states):
            plugin, call = self._after[name]
            now = completion
            completion = _call(plugin, lambda call=call, now=now, state=state: call(completion=now, state=state))
            if not isinstance(completion, Completion):
                raise GuardError(f"The guard of plugin {plugin.label} returned no completion; the answer is withheld.")
        return completion

    def during(self, deltas: Iterator[Delta], states: States) -> Iterator[Delta]:
        """Yield what may be shown of an answer before it is whole: nothing, unless every guard of answers streams.

        Raises:
            GuardError: a guard raised, or yielded something else than a Delta.
        """
        for name, state in self._backwards(states):
            plugin, _ = self._after[name]
            deltas = _streamed(plugin, self._during.get(name, withhold), deltas, state)
        return deltas

    def _backwards(self, states: States) -> Iterator[tuple[str, Any]]:
        """Yield the names of those who guard answers, in their order, each with its state, None if it gave none."""
        given = dict(states)
        silent = [name for name in self._after if name not in given]
        return ((name, given.get(name)) for name in [*reversed(given), *silent] if name in self._after)

    def redact(self, value: T) -> T:
        """Return a JSON-like value or record with all texts and long numbers as a guard sends them: what may be kept.

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
        """Stream what the guards let through before the answer is whole, then what is left of it as one Delta."""
        try:
            request, states = self.guards.before(request)
        except GuardError as error:
            yield _failure(error)
            return
        with closing(Source(self.inner.stream(request))) as source:
            yield from self._guarded(source, states)

    def _guarded(self, source: Source, states: States) -> Iterator[Delta | Answer]:
        shown = Delta()
        try:
            for delta in self.guards.during(source.deltas, states):
                shown = Delta(shown.text + delta.text, shown.reasoning + delta.reasoning)
                yield delta
        except GuardError as error:
            yield _failure(error)
            return
        source.finish()
        if source.answer is not None:
            yield from ended(_after(self.guards, source.answer, states), shown, _CHANGED)


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

    def admit(self, key: K, request: Request, hand: Hand[K]) -> None:
        try:
            request, self._states[key] = self._guards.before(request)
        except GuardError as error:
            self.ready.append((key, _failure(error)))
        else:
            hand(key, request)

    def stream(self, key: K, request: Request, show: Show) -> None:
        self.put(key, request)  # what comes before the whole answer has passed no guard

    def received(self, key: K, answer: Answer) -> tuple[K, Answer]:
        return key, _after(self._guards, answer, self._states.pop(key))

    def drop(self, key: K) -> bool:
        dropped = self.inner.drop(key)
        if dropped:
            del self._states[key]
        return dropped


def _after(guards: Guards, answer: Answer, states: States) -> Answer:
    if not isinstance(answer, Completion):
        return answer
    try:
        return guards.after(answer, states)
    except GuardError as error:
        return _failure(error)


_CHANGED = Failure(GUARD, "The guards let through other text in the stream than in the end; the answer is withheld.")


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


def _streamed(plugin: Plugin, call: Any, deltas: Iterator[Delta], state: Any) -> Iterator[Delta]:
    """Yield what a guard makes of a stream, each step of it taken as carefully as a call."""
    through = _call(plugin, lambda: iter(call(deltas=deltas, state=state)))
    while (delta := _call(plugin, lambda: next(through, None))) is not None:
        if not isinstance(delta, Delta):
            raise GuardError(f"The guard of plugin {plugin.label} streamed no deltas; the answer is withheld.")
        yield delta


def _walk(value: Any, change: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, int) and abs(value) >= LONG_NUMBER:
        changed = change(str(value))
        return value if changed == str(value) else changed
    if isinstance(value, dict):
        return {key: _walk(item, change) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_walk(item, change) for item in value]
    return _walk(jsonable(value), change) if is_dataclass(value) else value
