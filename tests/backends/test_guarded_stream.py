"""What guards let through of an answer while it is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from nlptasks import Completion, Delta, Failure, Request
from nlptasks.backends.base import Answer
from nlptasks.backends.guarded import Guarded
from tests.backends.conftest import Plug
from tests.backends.scripted import Recording, request

STREAMING = """
    from dataclasses import replace
    from nlptasks import Delta, hookimpl

    @hookimpl
    def before_generate(request):
        return request, "NAME"

    @hookimpl
    def during_generate(deltas, state):
        print("at work")
        for delta in deltas:
            if delta.text != "-":
                yield Delta(delta.text.upper(), delta.reasoning)
        STEP

    @hookimpl
    def after_generate(completion, state):
        assert state == "NAME"
        return replace(completion, text=completion.text.upper().replace("-", "") + "!")
"""
HOLDING = """
    from nlptasks import hookimpl

    @hookimpl
    def after_generate(completion, state):
        return completion
"""


class Told(Recording):
    """Streams and ends as told."""

    def __init__(self, pieces: Sequence[str], end: Answer | Exception | None) -> None:
        super().__init__()
        self.pieces, self.end = pieces, end

    def stream(self, request: Request) -> Iterator[Delta | Answer]:
        yield from map(Delta, self.pieces)
        if isinstance(self.end, Exception):
            raise self.end
        if self.end:
            yield self.end


def streaming(step: str = "", name: str = "s") -> dict[str, str]:
    return {name: STREAMING.replace("STEP", step)}


def test_pieces_are_shown_as_they_come_and_the_rest_at_the_end(plug: Plug, capsys: pytest.CaptureFixture[str]) -> None:
    backend = Guarded(Told("ab-c", Completion("ab-c")), plug(**streaming()))
    stream = backend.stream(request("x"))
    assert next(stream) == Delta("A")
    assert list(stream) == [Delta("B"), Delta("C"), Delta("!"), Completion("ABC!")]
    assert capsys.readouterr() == ("", "at work\n")


def test_one_guard_that_must_see_the_whole_holds_all_back(plug: Plug) -> None:
    backend = Guarded(Told("ab", Completion("ab")), plug(h=HOLDING, **streaming()))
    assert list(backend.stream(request("x"))) == [Delta("AB!"), Completion("AB!")]


def test_guards_stream_in_the_order_in_which_they_see_answers(plug: Plug) -> None:
    step = "yield Delta('!')"
    backend = Guarded(Told("ab", Completion("ab")), plug(**streaming(step, "a"), **streaming(step, "b")))
    assert list(backend.stream(request("x"))) == [*map(Delta, "AB!!"), Completion("AB!!")]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("raise ValueError('abc')", "raised ValueError in guard_s.py, line "),
        ("yield 'abc'", "streamed no deltas"),
        ("yield Delta('abc')", "let through other text in the stream than in the end"),
    ],
)
def test_what_goes_wrong_withholds_the_answer(step: str, message: str, plug: Plug) -> None:
    *shown, last = Guarded(Told("abc", Completion("abc")), plug(**streaming(step))).stream(request("x"))
    assert isinstance(last, Failure)
    assert last.type == "guard"
    assert message in last.message
    assert "abc" not in last.message
    assert shown[:3] == [*map(Delta, "ABC")]


def test_a_guard_that_stops_reading_gets_the_answer_all_the_same(plug: Plug) -> None:
    backend = Guarded(
        Told("abc", Completion("abc")),
        plug(s=STREAMING.replace("for delta in deltas", "for delta in [next(deltas)]").replace("STEP", "")),
    )
    assert list(backend.stream(request("x"))) == [Delta("A"), Delta("BC!"), Completion("ABC!")]


def test_what_the_backend_says_or_raises_is_not_taken_for_the_guards(plug: Plug) -> None:
    failure, guards = Failure("server", "gone"), plug(**streaming())
    assert list(Guarded(Told("a", failure), guards).stream(request("x"))) == [Delta("A"), failure]
    assert list(Guarded(Told("a", None), guards).stream(request("x"))) == [Delta("A")]
    stream = Guarded(Told("a", OSError("the backend's own")), guards).stream(request("x"))
    assert next(stream) == Delta("A")
    with pytest.raises(OSError, match="the backend's own"):
        next(stream)


def test_leaving_a_stream_ends_that_of_the_backend(plug: Plug) -> None:
    left = []

    class Endless(Told):
        def stream(self, request: Request) -> Iterator[Delta | Answer]:
            try:
                while True:
                    yield Delta("a")
            finally:
                left.append("backend")

    stream = Guarded(Endless("", None), plug(**streaming())).stream(request("x"))
    assert next(stream) == Delta("A")
    stream.close()  # type: ignore[attr-defined]
    assert left == ["backend"]
