"""The scheduler: every sample ends in exactly one record, whatever tasks and backends do."""

from __future__ import annotations

import gc
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from nlptasks import (
    Backend,
    BackendError,
    Completion,
    ConfigError,
    Delta,
    Failure,
    InputError,
    Limits,
    Record,
    Request,
    Sample,
    Task,
    UnsupportedError,
)
from nlptasks.backends.base import Answer
from nlptasks.backends.dedupe import Dedupe
from nlptasks.engine import Engine
from nlptasks.engine.pool import LEAST_WINDOW
from tests.backends.scripted import Recording, Reordering, request, shout, text_of


class Plan(BaseModel):
    """The requests of each step, and what happens after the last one."""

    steps: list[list[str]]
    end: str = "output"


class Nothing(BaseModel):
    pass


class Told(BaseModel):
    answers: list[list[str]]


class Planned(Task[Plan, Nothing, Told]):
    """Asks what its input says, in as many steps, and counts the samples that are under way."""

    name = "planned"
    Input, Options, Output = Plan, Nothing, Told

    def __init__(self, streaming: bool = False) -> None:
        super().__init__()
        self.streaming = streaming  # type: ignore[misc]
        self.live = self.most_live = self.closed = 0

    def prompt(self, sample: Sample, options: Nothing) -> Request:
        raise NotImplementedError

    def parse(self, sample: Sample, completion: Completion) -> Told:
        raise NotImplementedError

    def steps(self, sample: Sample, options: Nothing, limits: Limits) -> Any:
        self.live += 1
        self.most_live = max(self.most_live, self.live)
        try:
            answers = []
            for step in sample.input.steps:
                completions = yield [request(text) for text in step]
                answers.append([completion.text for completion in completions])
            return end(sample.input.end, Told(answers=answers))
        except GeneratorExit:
            self.closed += 1
            if sample.input.end == "stubborn":
                raise OSError("while cleaning up") from None
            raise
        finally:
            self.live -= 1


def end(how: str, told: Told) -> Any:
    match how:
        case "value error":
            raise ValueError("the answer\nmakes no sense")
        case "input error":
            raise InputError("the input makes no sense")
        case "crash":
            raise ZeroDivisionError("by nobody")
        case "exit":
            raise SystemExit(5)
        case "interrupt":
            raise KeyboardInterrupt
        case "setting":
            raise ConfigError("the prompt does not render")
        case "none":
            return None
        case "text":
            return "a text"
        case "failure":
            return Failure("own", "the task gave up")
    return told


ENDS = {
    "value error": Failure("sample", "the answer makes no sense"),
    "input error": Failure("sample", "the input makes no sense"),
    "crash": Failure("task", "planned raised ZeroDivisionError: by nobody"),
    "exit": Failure("task", "planned called sys.exit(5)"),
    "none": Failure("task", "planned gave a NoneType as its prediction, not its Told"),
    "text": Failure("task", "planned gave a str as its prediction, not its Told"),
    "failure": Failure("own", "the task gave up"),
}


def expected(plan: Plan) -> tuple[Any, int | None]:
    """Return the result, and how many exchanges there are (None where it depends on who answers first)."""
    count = 0
    for step in plan.steps:
        if not step:
            return Failure("task", "planned asked for list, not for a list of Requests"), count
        bad = [text for text in step if text.startswith("bad")]
        if bad:
            return {f"no answer to {text}" for text in bad}, None
        count += len(step)
    told = Told(answers=[[text.upper() for text in step] for step in plan.steps])
    return ENDS.get(plan.end, told), count


def check(plan: Plan, record: Record) -> None:
    result, count = expected(plan)
    if isinstance(result, set):
        assert isinstance(record.result, Failure)
        assert record.result.message in result
    else:
        assert record.result == result
        assert len(record.exchanges) == count
    asked = [text_of(one) for one, _ in record.exchanges]
    whole = [text for step in plan.steps for text in step]
    if count is not None:
        assert asked == whole[:count]
    else:  # what was answered of the step that failed, in the order in which it was asked for
        positions = iter(whole)
        assert all(text in positions for text in asked)
    for one, answer in record.exchanges:
        assert answer == shout(one)
    assert record.failed == isinstance(record.result, Failure)
    assert record.seconds >= 0


@dataclass
class Careless(Recording):
    """Raises, miscounts or answers with rubbish, now and then for a batch, never for a single request."""

    chance: random.Random = random.Random(0)  # noqa: RUF009

    def complete(self, requests: Sequence[Request]) -> Sequence[Answer]:
        answers = list(super().complete(requests))
        if len(requests) == 1:
            return answers
        match self.chance.randrange(5):
            case 0:
                raise OSError("out of luck")
            case 1:
                return answers[1:]
            case 2:
                return [*answers, Completion("one too many")]
        return answers


BACKENDS: dict[str, Callable[[random.Random, int], Backend]] = {
    "batches": lambda chance, size: Recording(batch_size=size),
    "careless": lambda chance, size: Careless(batch_size=size, chance=chance),
    "reordering": lambda chance, size: Reordering(chance, room=size),
    "deduplicated": lambda chance, size: Dedupe(Reordering(chance, room=size)),
}
TEXT = st.sampled_from(["a", "b", "c", "d", "好", "bad", "bad luck"])
PLAN = st.builds(
    Plan,
    steps=st.lists(st.lists(TEXT, max_size=4), max_size=4),
    end=st.sampled_from(["output", "output", "stubborn", *ENDS]),
)


@settings(max_examples=150, deadline=None)
@given(
    plans=st.lists(PLAN, max_size=90),
    name=st.sampled_from([*BACKENDS]),
    seed=st.integers(0, 999),
    size=st.integers(1, 20),
)
def test_every_sample_has_one_record(plans: list[Plan], name: str, seed: int, size: int) -> None:
    task, chance = Planned(), random.Random(seed)
    samples: list[Sample | Record] = [Sample(f"s{index}", plan, index=index) for index, plan in enumerate(plans)]
    passed = Record(Sample("passed", None), Failure("input", "no row"))
    samples.insert(len(samples) // 2, passed)
    records = list(Engine(task, Nothing(), BACKENDS[name](chance, size)).run(samples))
    assert Counter(record.sample.id for record in records) == Counter(["passed", *(f"s{n}" for n in range(len(plans)))])
    assert passed in records
    for record in records:
        if record is not passed:
            check(plans[record.sample.index], record)
    assert task.live == 0
    assert task.most_live <= max(LEAST_WINDOW, 2 * size) + 1


@settings(max_examples=100, deadline=None)
@given(plan=PLAN, streaming=st.booleans(), size=st.integers(1, 5))
def test_a_stream_ends_as_a_run_does(plan: Plan, streaming: bool, size: int) -> None:
    task = Planned(streaming)
    engine = Engine(task, Nothing(), Recording(batch_size=size))
    sample = Sample("s", plan)
    [ran] = engine.run([sample])
    *deltas, record = engine.stream(sample)
    assert isinstance(record, Record)
    check(plan, record)
    assert (record.result, record.exchanges) == (ran.result, ran.exchanges)
    shown = "".join(delta.text for delta in deltas if isinstance(delta, Delta))
    alone = [step[0] for step in plan.steps if len(step) == 1]
    asked = {text_of(one) for one, _ in record.exchanges}
    assert shown == "".join(text.upper() for text in alone if text in asked and "bad" not in text)[: len(shown)]
    assert bool(deltas) <= streaming
    assert task.live == 0


def test_deltas_are_those_of_the_backend() -> None:
    engine = Engine(Planned(streaming=True), Nothing(), Recording())
    *deltas, record = engine.stream(Sample("s", Plan(steps=[["a", "b"], ["好ja"]])))
    assert deltas == [Delta("好"), Delta("J"), Delta("A")]
    assert isinstance(record, Record)
    assert record.result == Told(answers=[["A", "B"], ["好JA"]])


def test_the_window_holds_few_samples_of_many() -> None:
    taken = []

    def samples() -> Iterator[Sample]:
        for index in range(2000):
            taken.append(index)
            yield Sample(str(index), Plan(steps=[["a"], ["b", "c"]]), index=index)

    task = Planned()
    records = Engine(task, Nothing(), Reordering(random.Random(1), room=40)).run(samples())
    for done, _ in enumerate(records, 1):
        assert len(taken) - done <= 80
    assert len(taken) == 2000
    assert task.most_live == 80


def test_batches_cross_samples_and_steps() -> None:
    sizes = []

    class Sized(Recording):
        def complete(self, requests: Sequence[Request]) -> Sequence[Answer]:
            sizes.append(len(requests))
            return super().complete(requests)

    samples = [Sample(str(n), Plan(steps=[["a"], ["b"], ["c"]])) for n in range(64)]
    assert len(list(Engine(Planned(), Nothing(), Sized(batch_size=16)).run(samples))) == 64
    assert sum(sizes) == 192
    assert len(sizes) <= 14  # 12 full batches, and not one for each sample and step


def test_requests_of_a_failed_sample_are_not_sent_any_more() -> None:
    inner = Recording(batch_size=2)
    plan = Plan(steps=[["bad", *("abcdefgh")]])
    [record] = Engine(task := Planned(), Nothing(), inner).run([Sample("s", plan)])
    assert record.failed
    assert [text_of(one) for one in inner.received] == ["bad", "a"]
    assert (task.closed, task.live) == (1, 0)


def test_what_was_begun_is_finished_before_more_is_begun() -> None:
    inner = Recording(batch_size=1)
    samples = [Sample(str(n), Plan(steps=[[f"{n}-1"], [f"{n}-2"]])) for n in range(3)]
    list(Engine(Planned(), Nothing(), inner).run(samples))
    assert [text_of(one) for one in inner.received] == ["0-1", "0-2", "1-1", "1-2", "2-1", "2-2"]


@pytest.mark.parametrize(("how", "error"), [("interrupt", KeyboardInterrupt), ("setting", ConfigError)])
def test_what_stops_a_run_closes_session_and_tasks(how: str, error: type[BaseException]) -> None:
    backend, task = Reordering(random.Random(0), room=3), Planned()
    plans = [Plan(steps=[["a"]] * 3)] * 9 + [Plan(steps=[["a"]], end=how)] + [Plan(steps=[["a"]] * 3)] * 9
    run = Engine(task, Nothing(), backend).run(Sample(str(n), plan) for n, plan in enumerate(plans))
    with pytest.raises(error):
        list(run)
    assert (backend.closed, task.live) == (1, 0)


def test_an_interrupt_within_the_backend_closes_session_and_tasks() -> None:
    def interrupted(asked: Request) -> Answer:
        raise KeyboardInterrupt

    backend, task = Reordering(random.Random(0), interrupted), Planned()
    with pytest.raises(KeyboardInterrupt):
        list(Engine(task, Nothing(), backend).run([Sample("s", Plan(steps=[["a"]]))]))
    assert (backend.closed, task.live, task.closed) == (1, 0, 1)


def test_who_stops_listening_closes_session_and_tasks() -> None:
    backend, task = Reordering(random.Random(0)), Planned()
    run = Engine(task, Nothing(), backend).run(Sample(str(n), Plan(steps=[["a"]])) for n in range(100))
    next(run)
    run.close()  # type: ignore[attr-defined]
    assert (backend.closed, task.live) == (1, 0)
    stream = Engine(streaming := Planned(streaming=True), Nothing(), Recording()).stream(
        Sample("s", Plan(steps=[["abc"]]))
    )
    assert next(stream) == Delta("A")
    del stream
    gc.collect()
    assert streaming.live == 0


@pytest.mark.parametrize("failing", ["complete", "stream"])
def test_a_backend_that_cannot_go_on_ends_the_run(failing: str) -> None:
    class Gone(Recording):
        def complete(self, requests: Sequence[Request]) -> Sequence[Answer]:
            raise BackendError("the server is gone")

        def stream(self, request: Request) -> Iterator[Delta | Answer]:
            yield Delta("x")
            raise BackendError("the server is gone")

    engine = Engine(Planned(streaming=True), Nothing(), Gone())
    sample = Sample("s", Plan(steps=[["a"]]))
    with pytest.raises(BackendError, match="the server is gone"):
        list(engine.run([sample]) if failing == "complete" else engine.stream(sample))


class Raising(Recording):
    def complete(self, requests: Sequence[Request]) -> Sequence[Answer]:
        raise KeyError("lost")

    def stream(self, request: Request) -> Iterator[Delta | Answer]:
        yield Delta("x")
        raise KeyError("lost")


class Silent(Recording):
    def complete(self, requests: Sequence[Request]) -> Sequence[Answer]:
        return []

    def stream(self, request: Request) -> Iterator[Delta | Answer]:
        yield Delta("x")


class Rubbish(Recording):
    def complete(self, requests: Sequence[Request]) -> Sequence[Answer]:
        return ["a text"] * len(requests)  # type: ignore[list-item]

    def stream(self, request: Request) -> Iterator[Delta | Answer]:
        yield "a text"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("backend", "ran", "streamed"),
    [
        (Raising, "Raising raised KeyError: 'lost'", "Raising raised KeyError: 'lost'"),
        (Silent, "Silent gave 0 answers to 1 requests", "Silent ended a stream without an answer"),
        (Rubbish, "Rubbish gave a str, which is no Completion", "Rubbish gave a str, which is no Completion"),
    ],
)
def test_a_careless_backend_fails_request_by_request(backend: type[Recording], ran: str, streamed: str) -> None:
    engine = Engine(Planned(streaming=True), Nothing(), backend())
    sample = Sample("s", Plan(steps=[["a"]]))
    records = list(engine.run([sample] * 5))
    assert [record.result for record in records] == [Failure("backend", ran)] * 5
    *_, record = engine.stream(sample)
    assert isinstance(record, Record)
    assert record.result == Failure("backend", streamed)


def test_a_backend_without_room_is_an_error_and_no_endless_wait() -> None:
    engine = Engine(Planned(), Nothing(), Recording(batch_size=0))
    with pytest.raises(BackendError, match="batch_size must be at least 1"):
        list(engine.run([Sample("s", Plan(steps=[["a"]]))]))


class Odd(Planned):
    """A task whose author forgot what ``steps`` is."""

    def __init__(self, what: Any) -> None:
        super().__init__()
        self._what = what

    def steps(self, sample: Sample, options: Nothing, limits: Limits) -> Any:
        if isinstance(self._what, Exception):
            raise self._what
        return self._what


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ([request("a")], "planned asked for Request, not for a list of Requests"),
        ([[request("a"), "b"]], "planned asked for list, not for a list of Requests"),
        (["ab"], "planned asked for str, not for a list of Requests"),
        ([7], "planned asked for int, not for a list of Requests"),
        (None, "planned raised TypeError: 'NoneType' object is not iterable"),
        (KeyError("x"), "planned raised KeyError: 'x'"),
    ],
)
def test_steps_that_are_none(what: Any, message: str) -> None:
    [record] = Engine(Odd(what), Nothing(), Recording()).run([Sample("s", Plan(steps=[]))])
    assert record.result == Failure("task", message)


def test_a_task_may_ask_the_same_again() -> None:
    class Again(Planned):
        def steps(self, sample: Sample, options: Nothing, limits: Limits) -> Any:
            asked = [request("a")]
            first = yield asked
            second = yield asked
            asked.clear()
            return Told(answers=[[first[0].text], [second[0].text]])

    [record] = Engine(Again(), Nothing(), Recording()).run([Sample("s", Plan(steps=[]))])
    assert record.result == Told(answers=[["A"], ["A"]])
    assert len(record.exchanges) == 2


def test_a_task_that_the_backend_cannot_do_is_refused_before_anything_is_loaded() -> None:
    backend = Recording()
    backend.tasks = frozenset({"translation"})
    with pytest.raises(UnsupportedError, match="does translation only, not planned"):
        Engine(Planned(), Nothing(), backend)
    assert replace(backend).received == []
