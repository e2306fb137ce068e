"""The guide: what it understands, and that it says nothing of its own invention."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import nlptasks
from nlptasks import Completion, Delta, Failure, Message, Request
from nlptasks.text import sentences
from nlptasks_embedded.backend import load
from nlptasks_embedded.guide.conversation import respond
from nlptasks_embedded.guide.pages import passages
from nlptasks_embedded.guide.phrases import MODELS, PHRASES
from tests.plugins.guide_prompts import CHINESE, CONVERSATIONS, DE, EN, ENGLISH, GERMAN, ZH, chat, filled, flat, part
from tests.plugins.guide_strangers import CONVERSATIONS as STRANGERS
from tests.support import Cli

# What is understood


@pytest.mark.parametrize(("route", "turns"), [(route, turns) for route, *turns in (*CONVERSATIONS, *STRANGERS)])
def test_each_message_is_understood(route: str, turns: Sequence[str]) -> None:
    assert chat(*map(filled, turns))[-1].data["route"] == route


@pytest.mark.parametrize(("language", "conversations"), [("en", ENGLISH), ("de", GERMAN), ("zh", CHINESE)])
def test_the_answer_is_in_the_users_language(language: str, conversations: Sequence[tuple[str, ...]]) -> None:
    others = {phrase for code in PHRASES if code != language for phrase in PHRASES[code].values() if phrase}
    for route, *turns in conversations:
        if route in PHRASES[language] and turns[-1] not in ("😀", "?!"):
            answer = chat(*map(filled, turns))[-1].text
            assert PHRASES[language][route] in answer, turns
            assert not any(phrase in answer for phrase in others)


def test_the_users_words_tell_the_language_not_those_of_the_text() -> None:
    assert chat("Übersetze das")[-1].text == PHRASES["de"]["no_text"]
    assert chat(EN, "总结一下", "谢谢")[-1].text == PHRASES["zh"]["thanks"]
    assert chat(EN, "Wer bezahlte die Fähre?", "😀")[-1].text == PHRASES["de"]["model"]


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ("summarize in two sentences: a b", {"text": "a b", "max_sentences": "2"}),
        ("Summarize this in 30 words:\na b", {"text": "a b", "max_words": "30"}),
        ("summarize as bullet points: a b", {"text": "a b", "style": "bullets"}),
        ("Fasse in drei Sätzen zusammen: a b", {"text": "a b", "max_sentences": "3"}),
        ("用三句话总结：渡轮", {"text": "渡轮", "max_sentences": "3"}),
        ("请用五十字以内总结：渡轮", {"text": "渡轮"}),
        ("用50字总结：渡轮", {"text": "渡轮", "max_words": "50"}),
        ("summarize in German: a b", {"text": "a b", "lang": "de"}),
        ("translate into German: the ferry", {"text": "the ferry", "source_lang": "en", "target_lang": "de"}),
        ("Translate `ls -l` into Traditional Chinese", {"text": "ls -l", "target_lang": "zh-Hant"}),
        ("Translate: Die Fähre ist zu spät", {"text": "Die Fähre ist zu spät", "target_lang": "en"}),
        ("uebersetze ins Franzoesische: die Fähre", {"text": "die Fähre", "target_lang": "fr"}),
        ("把渡轮翻译成繁体中文", {"text": "渡轮", "target_lang": "zh-Hant"}),
        (f"{EN}\nWho paid?", {"context": EN, "question": "Who paid?"}),
        (f"Text: {DE}\nFrage: Wer zahlte?", {"context": DE, "question": "Wer zahlte?"}),
        (f"根据下文，谁付了钱？\n{ZH}", {"context": ZH, "question": "谁付了钱？"}),
    ],
)
def test_what_is_handed_to_a_part(message: str, fields: dict[str, str]) -> None:
    asked: list[Request] = []

    def part(request: Request) -> Completion:
        asked.append(request)
        return Completion("done")

    answer = respond([Message("system", "translate into French"), Message("user", message)], part)
    [request] = asked
    assert fields.items() <= request.fields.items()
    assert isinstance(answer, Completion)
    assert answer.text == "done"


def test_what_is_translated_in_a_conversation() -> None:
    summary = "The council paid for the ferry with a loan of two million euros."
    turns = [Message("user", EN), Message("assistant", "ok"), Message("user", "summarize it")]
    for said, text in [("translate it into German", summary), ("translate the text into German", EN)]:
        messages = [*turns, Message("assistant", summary), Message("user", said)]
        answer = respond(messages, lambda request: Completion(request.fields["text"]))
        assert isinstance(answer, Completion)
        assert answer.text == text


def test_what_no_part_can_do_is_said_as_its_verb_says_it() -> None:
    [answer] = chat("translate good morning into French")
    assert answer.text.startswith("The embedded model does no translation from en to fr: say --model hf/")


@pytest.mark.parametrize(
    ("message", "word"),
    [("translate good morning into German", "morgen"), ("Übersetze ins Englische: Danke!", "thank")],
)
def test_a_translation_is_made(message: str, word: str) -> None:
    [answer] = chat(message)
    assert word in answer.text.lower()
    assert answer.data["route"] == "translation"


def test_a_part_that_fails_is_a_failure() -> None:
    failure = Failure("backend", "out of order")
    assert respond([Message("user", f"summarize: {EN}")], lambda _: failure) == failure


# Nothing is invented


def allowed(said: str, texts: Sequence[str], route: str) -> bool:
    """Return whether an answer is made of fixed sentences, the user's text or the documentation alone."""
    if said.startswith("The embedded model does no translation from "):
        return route == "translation"
    if route in ("summarization", "question-answering", "translation"):
        given = flat("".join(texts))
        return all(flat(sentence.removeprefix("- ").rstrip("…")) in given for sentence in sentences(said))
    if route == "documentation":
        quoted, _, source = said.rpartition("\n(")
        body = next(
            (
                quoted.removeprefix(p["quoted"] + "\n")
                for p in PHRASES.values()
                if quoted.startswith(p["quoted"] + "\n")
            ),
            quoted,
        )
        return any(flat(body) in flat(one.text) and source == f"{one.source})" for one in passages())
    phrases = sorted({phrase for spoken in PHRASES.values() for phrase in spoken.values() if phrase}, key=len)
    for phrase in reversed(phrases):
        said = said.replace(phrase, "")
    return not said.strip()


def word_for_word(request: Request) -> Completion | Failure:
    """Answer as the embedded parts do, and translate no word."""
    return Completion(request.fields["text"]) if request.task == "translation" else part(request)


@pytest.mark.parametrize("turns", [turns for _, *turns in (*CONVERSATIONS, *STRANGERS)])
def test_every_answer_is_verbatim(turns: Sequence[str]) -> None:
    said = [filled(turn) for turn in turns]
    for answer in chat(*said, do=word_for_word):
        assert allowed(answer.text, said, answer.data["route"]), answer.text


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(), min_size=1, max_size=3).filter(lambda turns: all(turn.strip() for turn in turns)))
@example(["~" * 5000, "`" * 5000])
@example(["\n" * 50 + "summarize"])
@example([":" * 999])
def test_anything_can_be_said(turns: list[str]) -> None:
    for answer in chat(*turns):
        assert answer.text
        assert allowed(answer.text, turns, answer.data["route"]), answer.text


@pytest.mark.parametrize("text", [EN * 400, DE.replace(". ", " ") * 400, ZH * 1000, "word " * 50_000, "x" * 200_000])
def test_a_very_long_text_is_no_trouble(text: str) -> None:
    assert [answer.data["route"] for answer in chat(text, f"summarize this: {text}")] == ["text", "summarization"]


def test_what_needs_a_model_says_how_in_one_line() -> None:
    for language, prompt in [("en", "write a poem"), ("de", "Schreibe ein Gedicht"), ("zh", "写一首诗")]:
        [answer] = chat(prompt)
        assert answer.text == PHRASES[language]["model"]
        assert "\n" not in answer.text
        assert all(model in answer.text for model in MODELS)


# Through the doors


def test_on_the_command_line(cli: Cli) -> None:
    done = cli("chat", "Who paid for the ferry?", stdin=EN)
    assert (done.code, done.err) == (0, "")
    assert done.out == "The council\n"
    shown = json.loads(cli("chat", "what can you do?", "--json").out)
    assert shown["output"]["reply"] == PHRASES["en"]["abilities"]
    assert shown["model"] == "embedded"


def test_it_streams_and_goes_through_the_task() -> None:
    *deltas, last = load("").stream(Request((Message("user", "hi"),), task="chat"))
    assert deltas == [Delta(PHRASES["en"]["greeting"])]
    assert isinstance(last, Completion)
    assert nlptasks.task("chat", model="embedded")("谢谢").reply == PHRASES["zh"]["thanks"]


def test_an_empty_message_is_a_bad_request() -> None:
    for messages in ((), (Message("user", " "),)):
        [failure] = load("").complete([Request(messages, task="chat")])
        assert isinstance(failure, Failure)
        assert failure.type == "bad_request"
