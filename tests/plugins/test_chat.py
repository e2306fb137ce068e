from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nlptasks import (
    Completion,
    ConfigError,
    Delta,
    GenerationOptions,
    Limits,
    Message,
    Prompts,
    Record,
    Request,
    Sample,
)
from nlptasks.backends.echo import Echo
from nlptasks.engine import Engine
from nlptasks_chat.continuation import Beginning, TextGeneration
from nlptasks_chat.task import Chat, Conversation, Reply

Ask = Callable[..., Any]
URI = "data:image/png;base64,aGVsbG8="
PICTURE = b"hello"


def turns(*contents: str) -> list[dict[str, str]]:
    return [{"role": ("user", "assistant")[n % 2], "content": content} for n, content in enumerate(contents)]


def sent(asked: Any) -> list[tuple[str, str]]:
    [request] = asked.requests
    return [(message.role, message.content) for message in request.messages]


class TestChat:
    def test_a_message_alone(self, ask: Ask) -> None:
        answer = Completion("Hello!", reasoning="They greet me.", finish_reason="length")
        asked = ask(Chat(), {"message": "Hi"}, lambda _: answer)
        assert sent(asked) == [("user", "Hi")]
        assert asked.result == Reply(reply="Hello!", reasoning="They greet me.", finish_reason="length", dropped=0)

    def test_history_goes_between_system_and_message(self, ask: Ask) -> None:
        row = {"message": "你好", "messages": turns("Hi", "Hello!")}
        asked = ask(Chat(Prompts("Be brief.", "{{ message }}")), row, lambda _: "x")
        assert sent(asked) == [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello!"), ("user", "你好")]
        assert asked.requests[0].fields == {"text": "你好"}

    def test_a_row_of_messages_that_end_with_the_users(self, ask: Ask) -> None:
        said = turns("Hi", "Hello!", "Wer bist du?")
        asked = ask(Chat(), {"messages": said, "reference": "unread"}, lambda _: "x")
        assert sent(asked) == [(turn["role"], turn["content"]) for turn in said]

    def test_both_forms_validate_to_the_same(self) -> None:
        split = Conversation.model_validate({"message": "c", "messages": turns("a", "b"), "image": URI})
        last = {"role": "user", "content": "c", "image": URI}
        joined = Conversation.model_validate({"messages": [*turns("a", "b"), last]})
        assert split == joined
        assert Conversation.model_validate(json.loads(split.model_dump_json())) == split

    def test_the_rows_system_message_unless_the_user_gives_one(self, ask: Ask) -> None:
        row = {"messages": [{"role": "system", "content": "Row."}, *turns("a", "b", "c")]}
        assert sent(ask(Chat(), row, lambda _: "x"))[0] == ("system", "Row.")
        own = sent(ask(Chat(Prompts("Own.", "{{ message }}")), row, lambda _: "x"))
        assert [content for role, content in own if role == "system"] == ["Own."]

    @pytest.mark.parametrize("name", ["image", "images"])
    def test_images_go_with_their_turns(self, ask: Ask, name: str) -> None:
        row = {"message": "And this?", name: URI, "messages": [{"role": "user", "content": "This?", name: [URI, URI]}]}
        [request] = ask(Chat(), row, lambda _: "x").requests
        assert [message.images for message in request.messages] == [(PICTURE, PICTURE), (PICTURE,)]

    def test_a_picture_needs_no_words(self, ask: Ask) -> None:
        [request] = ask(Chat(), {"image": URI}, lambda _: "x").requests
        assert request.messages == (Message("user", "", (PICTURE,)),)

    def test_template_marks_in_a_message_are_text(self, ask: Ask) -> None:
        assert sent(ask(Chat(), {"message": "What is {{ message }} and {% x %}?"}, lambda _: "x")) == [
            ("user", "What is {{ message }} and {% x %}?")
        ]

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            ({"message": " \n"}, "the message is empty"),
            ({}, "the message is empty"),
            ({"messages": []}, "the message is empty"),
            ({"messages": turns("a", "b")}, "messages must end with the user's"),
            ({"messages": [{"role": "robot", "content": "x"}]}, "'system', 'user' or 'assistant'"),
            ({"messages": [{"content": "x"}]}, "Field required"),
        ],
    )
    def test_bad_input(self, row: dict[str, Any], message: str) -> None:
        with pytest.raises(ValidationError) as caught:
            Conversation.model_validate(row)
        [error] = caught.value.errors()
        assert message in error["msg"]
        assert "\n" not in error["msg"]


class TestTrimming:
    """The scripted backend counts one token for four bytes, and one more."""

    prompts = Prompts("System.", "{{ message }}")

    def run(self, ask: Ask, context: int | None, *contents: str) -> Any:
        row = {"messages": turns(*contents)}
        return ask(Chat(self.prompts), row, lambda _: "x", context=context, max_new_tokens=10)

    def test_oldest_turns_go_first(self, ask: Ask) -> None:
        said = [letter * 40 for letter in "abcdefg"]
        asked = self.run(ask, 50, *said)
        assert sent(asked) == [("system", "System."), ("user", said[4]), ("assistant", said[5]), ("user", said[6])]
        assert asked.result.dropped == 4

    def test_a_reader_is_told(self) -> None:
        assert Chat().notes(Reply(reply="x", dropped=4)) == ["left out to fit the model: the first 4 turns"]
        assert Chat().notes(Reply(reply="x", finish_reason="length")) == [
            "the reply is cut off: raise --max-new-tokens"
        ]
        assert Chat().notes(Reply(reply="x")) == []

    def test_nothing_goes_without_need(self, ask: Ask) -> None:
        said = [letter * 40 for letter in "abcdefg"]
        assert self.run(ask, None, *said).result.dropped == 0
        assert self.run(ask, 1000, *said).result.dropped == 0

    def test_system_and_message_stay_though_they_are_too_long(self, ask: Ask) -> None:
        asked = self.run(ask, 12, "a", "b", "c" * 400)
        assert sent(asked) == [("system", "System."), ("user", "c" * 400)]
        assert asked.result.dropped == 2

    @given(st.lists(st.integers(0, 60), max_size=12), st.integers(12, 80))
    def test_keeps_as_much_as_fits(self, ask: Ask, lengths: list[int], context: int) -> None:
        said = [*turns(*("x" * length for length in lengths)), {"role": "user", "content": "last"}]
        asked = ask(Chat(self.prompts), {"messages": said}, lambda _: "x", context=context, max_new_tokens=10)
        [request] = asked.requests
        system, *kept = request.messages
        dropped = asked.result.dropped
        assert system == Message("system", "System.")
        assert kept == [Message(**turn) for turn in said[dropped:]]  # type: ignore[arg-type]
        assert kept[0].role == "user" or dropped == 0
        limits = Limits(context)
        assert limits.fits(request) or len(kept) == 1
        longer = [n for n in range(dropped) if n == 0 or said[n]["role"] == "user"]
        for n in longer:
            more = Request((system, *(Message(**turn) for turn in said[n:])), config=request.config)  # type: ignore[arg-type]
            assert not limits.fits(more)


class TestStreaming:
    def deltas(self, task: Any, row: dict[str, Any]) -> tuple[str, Any]:
        engine = Engine(task, GenerationOptions.model_validate({}), Echo())
        *deltas, record = engine.stream(Sample("1", task.Input.model_validate(row)))
        assert isinstance(record, Record)
        return "".join(delta.text for delta in deltas if isinstance(delta, Delta)), record.result

    def test_chat(self) -> None:
        text, reply = self.deltas(Chat(), {"message": "one two three"})
        assert text == reply.reply == "one two three"

    def test_text_generation(self) -> None:
        text, continuation = self.deltas(TextGeneration(), {"prompt": "今天天气很好 "})
        assert text == continuation.text == "今天天气很好 "


class TestTextGeneration:
    @given(st.text(min_size=1))
    def test_hands_over_the_exact_text(self, text: str) -> None:
        request = TextGeneration().prompt(
            Sample("1", Beginning(prompt=text)), GenerationOptions.model_validate({"max_new_tokens": 3})
        )
        assert request.messages == (Message("user", text),)
        assert request.fields == {"text": text}
        assert request.config.max_new_tokens == 3

    def test_gives_the_continuation_alone(self, ask: Ask) -> None:
        assert ask(TextGeneration(), {"prompt": "Once "}, lambda _: "upon a time ").result.text == "upon a time "

    def test_empty_prompt(self) -> None:
        with pytest.raises(ValidationError, match="the prompt is empty: give the beginning of a text"):
            Beginning(prompt="")

    def test_takes_no_prompts(self) -> None:
        TextGeneration(Prompts())
        with pytest.raises(ConfigError, match="leave out --prompt and --system"):
            TextGeneration(Prompts("Be brief."))


def test_replies_in_between_are_not_streamed() -> None:
    said = [{"role": "user", "content": text} for text in ("A poem.", "Shorter.")]
    sample = Sample("1", Conversation.model_validate({"turns": said}))
    [record] = Engine(Chat(), GenerationOptions(), Echo()).stream(sample)
    assert isinstance(record, Record)
    assert record.result.reply == "Shorter."
