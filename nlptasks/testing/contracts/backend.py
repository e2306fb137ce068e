"""What is asked of a backend."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from nlptasks.backends.base import Answer, Backend, Capability
from nlptasks.backends.factory import BackendFactory
from nlptasks.errors import NLPTasksError, PluginError
from nlptasks.records import Completion, Delta, Failure, Request, jsonable
from nlptasks.testing.contracts.plugin import PluginContract, fail, require
from nlptasks.testing.contracts.requests import PIXEL, chat, odd_requests, worded
from nlptasks.testing.fixtures import KeptOpen


class BackendContract(PluginContract):
    """The checks of a backend. A subclass says its ``name``, and ``model`` where there is a choice.

    ``model`` is what follows the name: ``model = "tiny"`` tests ``name/tiny``; ``options`` are the backend's own;
    ``requests`` are at least two different ones that it can answer, short chats where none are given. Override the
    fixture ``factory`` where the model or the options come from other fixtures. Checks are skipped where it needs a
    model and none is named, or does not answer the contract's own requests.
    """

    kind = "backend"
    model: ClassVar[str] = ""
    options: ClassVar[Mapping[str, Any]] = {}
    requests: ClassVar[Sequence[Request]] = (
        chat("Who wrote the letter?"),
        chat("渡轮什么时候开?"),
        chat("Wann fährt die Fähre über den Hafen, und wie lange dauert es?"),
    )

    @pytest.fixture
    def factory(self) -> BackendFactory:
        """What builds the backend."""
        return BackendFactory("/".join(filter(None, (self.name, self.model))), self.options)

    @pytest.fixture
    def backend(self, factory: BackendFactory, kept_open: KeptOpen) -> Backend:
        """The backend, open."""
        _ = self.entry
        return kept_open(factory, _built)

    @pytest.fixture
    def alone(self, backend: Backend) -> Sequence[Completion]:
        """The answers to the requests, each asked by itself."""
        require(len(self.requests) > 1, "give the contract at least two requests")
        return [self._completed(backend, request) for request in self.requests]

    def test_it_declares_itself(self, backend: Backend) -> None:
        """It has a batch size, capabilities, and the tasks it is limited to, if any."""
        size, able, tasks = backend.batch_size, backend.capabilities, backend.tasks
        require(isinstance(size, int) and size > 0, f"batch_size is {size!r}: make it 1 or more")
        right = isinstance(able, frozenset) and all(isinstance(one, Capability) for one in able)
        require(right, f"capabilities is {able!r}: make it a frozenset of nlptasks.Capability")
        right = tasks is None or (isinstance(tasks, frozenset) and all(isinstance(one, str) for one in tasks))
        require(right, f"tasks is {tasks!r}: make it a frozenset of names, or None for any task")

    def test_it_refuses_in_a_line(self, backend: Backend) -> None:
        """It says in one line which tasks it cannot do, and refuses none that it can."""
        for task in {request.task for request in self.requests if self._given}:
            require(backend.refusal(task) is None, f"it refuses {task}, one of the contract's requests")
        said = backend.refusal("a-task-of-nobody")
        require(said is None or _is_line(said), f"refusal gives {said!r}: make it one line, or None")
        require(said or backend.tasks is None, "it can do but some tasks, and yet refuses no other: mend refusal")

    def test_it_answers_all_in_order(self, backend: Backend, alone: Sequence[Completion]) -> None:
        """Requests asked together have the answers they have alone, in the same order and number."""
        requests = [*self.requests, *self.requests]
        answers = list(backend.complete(requests))
        require(len(answers) == len(requests), f"complete gives {len(answers)} answers to {len(requests)} requests")
        wanted = [one.text for one in (*alone, *alone)]
        for request, answer, text in zip(requests, answers, wanted, strict=True):
            found = _checked(answer)
            same = isinstance(found, Completion) and found.text == text
            require(same, f"to {_short(request)} it says {text!r} when asked alone, {found!r} among others")

    def test_it_repeats_itself(self, backend: Backend, alone: Sequence[Completion]) -> None:
        """At temperature 0, the same request has the same answer."""
        for request, first in zip(self.requests, alone, strict=True):
            again = self._completed(backend, request).text
            require(again == first.text, f"to {_short(request)} it says {first.text!r}, then {again!r}")

    def test_a_stream_gives_the_same(self, backend: Backend, alone: Sequence[Completion]) -> None:
        """What is streamed is what is returned, and only the last item is an answer."""
        for request, wanted in zip(self.requests, alone, strict=True):
            *deltas, last = backend.stream(request)
            rest = [type(one).__name__ for one in deltas if not isinstance(one, Delta)]
            require(not rest, f"a stream goes on after its {', '.join(rest)}: only the last item is no Delta")
            if not isinstance(last, Completion):
                fail(f"a stream ends with {last!r}: let its last item be the Completion")
            text, thought = "".join(d.text for d in deltas), "".join(d.reasoning for d in deltas)  # type: ignore[union-attr]
            require(text == last.text, f"the deltas make {text!r}, the completion says {last.text!r}")
            require(thought == last.reasoning, f"the deltas reason {thought!r}, the completion {last.reasoning!r}")
            require(last.text == wanted.text, f"streamed it says {last.text!r}, else {wanted.text!r}")

    def test_a_session_answers_each_key_once(self, backend: Backend, alone: Sequence[Completion]) -> None:
        """A session answers every request under its own key, in any order, and takes more as it has room."""
        waiting = list(enumerate(self.requests))
        answers: dict[Any, Answer] = {}
        held = 0
        with backend.open() as session:
            while waiting or held:
                while waiting and session.room > 0:
                    session.put(*waiting.pop(0))
                    held += 1
                require(held, "a session that holds nothing has no room: its room must be at least 1 then")
                key, answer = session.get()
                held -= 1
                require(
                    key not in answers and key in range(len(alone)), f"get returns the key {key!r}, put was another"
                )
                answers[key] = answer
        for number, wanted in enumerate(alone):
            found = _checked(answers[number])
            same = isinstance(found, Completion) and found.text == wanted.text
            require(same, f"a session says {found!r} to {_short(self.requests[number])}, complete {wanted.text!r}")

    def test_a_bad_request_fails_alone(self, backend: Backend, alone: Sequence[Completion]) -> None:
        """What it cannot answer is a Failure in its own place, and its neighbours have their answers."""
        first, second = self.requests[:2]
        for what, bad in odd_requests(first, backend).items():
            try:
                answers = list(backend.complete([first, bad, second]))
                *_, streamed = backend.stream(bad)
            except Exception as error:
                trouble = f"{type(error).__name__}: {' '.join(str(error).split())}"
                fail(f"{what}: it raises {trouble}; return a Failure for that request")
            require(len(answers) == 3, f"{what}: complete gives {len(answers)} answers to 3 requests")
            answered = [_checked(one) for one in answers]
            texts = [one.text if isinstance(one, Completion) else None for one in (answered[0], answered[2])]
            require(texts == [one.text for one in alone[:2]], f"{what}: its neighbours have other answers than alone")
            require(not isinstance(streamed, Delta), f"{what}: a stream ends without an answer")

    def test_it_has_what_it_claims(self, backend: Backend) -> None:
        """What it says it is able to do, it does: to see, to fit a schema, to score a text."""
        first = self.requests[0]
        if Capability.LOGLIKELIHOOD in backend.capabilities:
            found = self._completed(backend, replace(first, continuation="a ferry")).data.get("loglikelihood")
            require(isinstance(found, float) and found <= 0, f"data['loglikelihood'] is {found!r}: nats, at most 0.0")
        if Capability.VISION in backend.capabilities:
            picture = replace(first.messages[-1], images=(PIXEL,))
            self._completed(backend, replace(first, messages=(*first.messages[:-1], picture)))
        if Capability.SCHEMA in backend.capabilities:
            schema = {"type": "object", "properties": {"a": {"type": "integer", "maximum": 9}}, "required": ["a"]}
            self._completed(backend, replace(first, schema={**schema, "additionalProperties": False}))

    def test_its_answers_are_plain(self, alone: Sequence[Completion]) -> None:
        """Its answers can be kept in the cache and in a run: they hold nothing but JSON."""
        for answer in alone:
            try:
                json.dumps(answer, default=jsonable)
            except TypeError as error:
                fail(f"a Completion cannot be kept: {error}; put plain values into data")
            ignored = answer.data.get("ignored", [])
            require(ignored == sorted(set(ignored)), f"data['ignored'] is {ignored!r}: sort the names of the options")

    def test_its_identity_is_stable(self, backend: Backend, factory: BackendFactory) -> None:
        """Its identity is the same before and after answering, and for another of the same model and options."""
        first = dict(backend.identity())
        named = bool(first) and all(isinstance(one, str) for pair in first.items() for one in pair)
        require(named, f"identity gives {first}: name the model and what else an answer depends on, as texts")
        self._completed(backend, self.requests[0])
        for other in (dict(backend.identity()), dict(_built(factory).identity())):
            changed = [name for name in first | other if first.get(name) != other.get(name)]
            require(
                not changed, f"identity changes in {', '.join(changed)}: leave out what an answer does not depend on"
            )

    def test_its_limits_can_be_counted(self, backend: Backend) -> None:
        """It counts the tokens of a request, more of them in a longer one."""
        limits, short = backend.limits(), self.requests[0]
        context = limits.context
        require(context is None or context > 0, f"limits().context is {context}: tokens, or None without a limit")
        counts = [limits.count(short), limits.count(worded(short, lambda text: f"{text} " * 5))]
        require(0 < counts[0] < counts[1], f"count gives {counts[0]} tokens, and {counts[1]} for five times the text")

    def test_it_prints_nothing(self, backend: Backend, capfd: pytest.CaptureFixture[str]) -> None:
        """Answering prints nothing: only answers belong on stdout."""
        capfd.readouterr()
        self._completed(backend, self.requests[0])
        printed = capfd.readouterr().out
        require(not printed, f"answering prints {printed[:60]!r}: use logging.getLogger('nlptasks') instead")

    def test_it_can_be_closed_twice(self, factory: BackendFactory) -> None:
        """Closing it frees what it holds, and closing it again does no harm."""
        with _built(factory) as backend:
            self._completed(backend, self.requests[0])
        try:
            backend.close()
        except Exception as error:
            fail(f"closing it again raises {type(error).__name__}: {error}; let close do nothing then")

    def _completed(self, backend: Backend, request: Request) -> Completion:
        """Return the answer to one request, which must be no Failure."""
        __tracebackhide__ = True
        answers = list(backend.complete([request]))
        require(len(answers) == 1, f"complete gives {len(answers)} answers to one request")
        answer = _checked(answers[0])
        if isinstance(answer, Completion):
            return answer
        trouble = f"it fails {_short(request)}: {answer.message}"
        if self._given:
            fail(f"{trouble} Give the contract requests it can answer")
        pytest.skip(f"{trouble} That is the contract's own: give it requests")

    @property
    def _given(self) -> bool:
        return self.requests is not BackendContract.requests


def _built(factory: BackendFactory) -> Backend:
    __tracebackhide__ = True
    try:
        return factory.bare()
    except PluginError as error:
        fail(str(error))
    except NLPTasksError as error:
        if "/" in factory.model or factory.options:
            fail(str(error))
        pytest.skip(f"{error} Name one in the contract")


def _checked(answer: Any) -> Answer:
    """Return an answer that is a Completion or a Failure as they should be."""
    __tracebackhide__ = True
    if not isinstance(answer, Answer):
        fail(f"complete gives a {type(answer).__name__}: return a Completion or a Failure")
    if isinstance(answer, Failure):
        require(answer.type and _is_line(answer.message), f"{answer!r}: say in one line what went wrong")
    else:
        require(isinstance(answer.text, str), f"a Completion's text is {answer.text!r}: make it a str")
    return answer


def _is_line(text: Any) -> bool:
    return isinstance(text, str) and len(text.splitlines()) == 1


def _short(request: Request) -> str:
    text = request.messages[-1].content if request.messages else ""
    return repr(text if len(text) < 40 else f"{text[:37]}...")
