"""Tasks from Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

import nlptasks
from nlptasks import Backend, Completion, Delta, Failure, InputError, Request, SampleError, UnknownNameError


class Picky(Backend):
    """Fails on what contains "bad"; answers later requests of a batch first when asked in a session."""

    batch_size = 4

    def complete(self, requests: Sequence[Request]) -> Sequence[Completion | Failure]:
        return [
            Failure("sort", "it is bad") if "bad" in request.fields["text"] else Completion(request.fields["text"])
            for request in requests
        ]


def test_one_sample_in_every_form() -> None:
    generate = nlptasks.task("text-generation", model="echo")
    forms = ["今天天气很好", {"prompt": "今天天气很好"}, generate.task.Input(prompt="今天天气很好")]
    assert [generate(form).text for form in forms] == ["今天天气很好"] * 3
    assert generate(prompt="今天天气很好").text == "今天天气很好"


def test_map_keeps_order_and_takes_in_lazily() -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield f"text {taken}" if taken % 3 else "bad"

    outputs = nlptasks.task("text-generation", model=Picky()).map(endless())
    found = [next(outputs) for _ in range(9)]
    assert [output.text for output in found if not isinstance(output, Failure)] == [
        f"text {number}" for number in (1, 2, 4, 5, 7, 8)
    ]
    assert [index for index, output in enumerate(found) if isinstance(output, Failure)] == [2, 5, 8]
    assert taken < 100


def test_a_value_that_does_not_fit_fails_alone() -> None:
    first, second, third = nlptasks.task("text-generation", model="echo").map(["a", {"promt": "b"}, "c"])
    assert (first.text, third.text) == ("a", "c")
    assert isinstance(second, Failure)
    assert second.type == "input"


def test_stream_ends_with_the_output() -> None:
    *deltas, output = nlptasks.task("chat", model="echo").stream("eins zwei drei")
    assert all(isinstance(delta, Delta) for delta in deltas)
    assert "".join(delta.text for delta in deltas) == output.reply == "eins zwei drei"
    assert len(deltas) == 3


def test_errors() -> None:
    generate = nlptasks.task("text-generation", model=Picky())
    with pytest.raises(SampleError, match="it is bad") as caught:
        generate("bad")
    assert caught.value.failure.type == "sort"
    with pytest.raises(InputError, match="text-generation"):
        generate({"promt": "a"})
    with pytest.raises(UnknownNameError, match="'summarization'"):
        nlptasks.task("sumarization")
    with pytest.raises(UnknownNameError, match="'length'"):
        nlptasks.task("summarization", model="echo", lenght="short")
    with pytest.raises(nlptasks.ConfigError, match="temperature"):
        nlptasks.task("chat", model="echo", temperature=-1)
    with pytest.raises(nlptasks.UnsupportedError, match="--model"):
        nlptasks.task("text-generation", model="embedded")


def test_a_context_manager_closes_the_backend() -> None:
    class Closing(Picky):
        closed = False

        def close(self) -> None:
            self.closed = True

    backend = Closing()
    with nlptasks.task("text-generation", model=backend) as generate:
        assert generate("a").text == "a"
        assert not backend.closed
    assert backend.closed


def test_own_prompts() -> None:
    class Mirror(Backend):
        def complete(self, requests: Sequence[Request]) -> Sequence[Completion | Failure]:
            return [Completion("|".join(message.content for message in one.messages)) for one in requests]

    reply = nlptasks.task("chat", model=Mirror(), system="Sei kurz.")("Hallo").reply
    assert reply == "Sei kurz.|Hallo"
