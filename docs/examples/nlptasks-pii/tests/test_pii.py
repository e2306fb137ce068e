"""What is hidden, what is shown again, and what is held back of a stream."""

from __future__ import annotations

import random
from dataclasses import replace
from importlib.util import find_spec

import pytest

from nlptasks import Completion, Delta, GenerationConfig, Message, Request
from nlptasks_pii import after_generate, before_generate, during_generate

with_presidio = pytest.mark.skipif(
    find_spec("presidio_analyzer") is None, reason="pip install 'nlptasks-pii[presidio]'"
)

HIDDEN = {
    "EMAIL": "anna@example.com|jürgen.müller+x@müller-büro.de|anna (at) example.de|o'brien@mail.co.uk"
    "|li@例子.中国|li@mail.qq例子.com",
    "PHONE": "+49 30 1234567|030/1234567|(030) 12 34 56 78|+49 (0)30 123456-78|06-12-34-56-78|555-0142|(555) 123-4567"
    "|555.123.4567|+1 555 123 4567|13812345678|138 1234 5678|010-88886666|+86 138 1234 5678|１３８１２３４５６７８"
    "|9123 4567|612 345 678",
    "CARD": "4111 1111 1111 1111|4111-1111-1111-1112|4111111111111111|3782 822463 10005|6222 0212 3456 7890 123"
    "|6222021234567890123",
    "ID": "110101199003071234|11010119900307123X|110101 19900307 123x|123-45-6789|C01X00T478|E12345678|A123456(7)"
    "|DE89 3704 0044 0532 0130 00|DE89370400440532013000|GB82 WEST 1234 5698 7654 32|QQ 12 34 56 C|12 345 678 901"
    "|65 170839 J 003",
}
SENTENCES = ["It is {}.", "Es ist {}, bitte merken!", "号码是{}，谢谢。", "{}", "<{}>"]


def asked(text: str, **more: object) -> Request:
    return Request((Message("user", text),), fields={"text": text}, **more)


@pytest.mark.parametrize("sentence", SENTENCES)
@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, forms in HIDDEN.items() for text in forms.split("|")]
)
def test_every_form_of_identifier_is_hidden_and_shown_again(kind: str, text: str, sentence: str) -> None:
    request, vault = before_generate(asked(sentence.format(text)))
    assert request == asked(sentence.format(f"[{kind}_1]"))
    assert after_generate(Completion(request.messages[0].content), vault) == Completion(sentence.format(text))


@pytest.mark.parametrize(
    "text",
    [
        "On 2026-11-24 at 09:30, in 1987, 2019-2020 and 24.11.2026, 3,5 Mio. Euro for 1.234.567 people.",
        "2019 2020 2021 2022",
        "第123页，2022年春天，九千八百万元，180名",
        "GPT-4, RTX 4090, ISO 8859-1, sha256, H100, Python 3.11.7, @user, a@b, [1], [EMAIL_7]",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert before_generate(asked(text))[0] == asked(text)


def test_a_chinese_address_is_hidden_whole() -> None:
    assert before_generate(asked("请发到 张三@例子.中国，谢谢"))[0] == asked("请发到 [EMAIL_1]，谢谢")
    assert before_generate(asked("请发到张三@例子.中国，谢谢"))[0] == asked("[EMAIL_1]，谢谢")


def test_one_identifier_has_one_placeholder_and_none_that_was_there_before() -> None:
    text = "[PHONE_1] a@b.com, 555-0142, c@d.org, a@b.com"
    request, vault = before_generate(asked(text))
    assert request.fields["text"] == "[PHONE_1] [EMAIL_1], [PHONE_2], [EMAIL_2], [EMAIL_1]"
    answer = Completion("[PHONE_1] [PHONE_2] [PHONE_3]", "[EMAIL_2]?", data={"alternatives": [{"text": "[EMAIL_1]"}]})
    assert after_generate(answer, vault) == Completion(
        "[PHONE_1] 555-0142 [PHONE_3]", "c@d.org?", data={"alternatives": [{"text": "a@b.com"}]}
    )


def test_all_that_is_sent_is_looked_through() -> None:
    secret = "a@b.com"
    config = GenerationConfig(stop=(secret,), extra={"user": secret, "tags": [secret]})
    schema = {"enum": [secret], "properties": {secret: {"maxLength": 9}}}
    request, _ = before_generate(asked("x", config=config, schema=schema, continuation=secret))
    assert secret not in repr(request)
    assert request.config.extra["tags"] == ["[EMAIL_1]"]
    assert request.schema == {"enum": ["[EMAIL_1]"], "properties": {"[EMAIL_1]": {"maxLength": 9}}}


def test_a_span_keeps_its_place_in_the_real_context() -> None:
    context = "Write to anna@example.com or call 030 1234567 today."
    request, vault = before_generate(replace(asked("x"), fields={"context": context}))
    guarded = request.fields["context"]
    start = guarded.index("[PHONE_1]")
    answer = after_generate(Completion("[PHONE_1]", data={"start": start, "end": start + 9, "score": 0.5}), vault)
    assert context[answer.data["start"] : answer.data["end"]] == answer.text == "030 1234567"


def test_a_stream_holds_back_what_may_begin_a_placeholder() -> None:
    request, vault = before_generate(asked("a@b.com"))
    assert request.fields["text"] == "[EMAIL_1]"
    pieces = ["To [", "EMA", "IL_1", "]", " [1] [", "x] [EMAIL_"]
    shown = [delta.text for delta in during_generate(map(Delta, pieces), vault)]
    assert shown == ["To ", "a@b.com", " [1] ", "[x] "]


def test_streams_cut_anywhere_say_the_same() -> None:
    chance = random.Random(0)
    text = "[[EMAIL_1][ID_1]] und [PHONE_1], [PHONE_12]: [NOTE] 电话[PHONE_1]；[EMAIL_1"
    _, vault = before_generate(asked("a@b.com E12345678 555-0142"))
    whole = after_generate(Completion(text, text), vault)
    for _ in range(200):
        cuts = sorted(chance.choices(range(len(text)), k=chance.randrange(30)))
        pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, None], strict=True)]
        shown = list(during_generate((Delta(piece, piece) for piece in pieces), vault))
        assert "".join(delta.text for delta in shown) == whole.text.removesuffix("[EMAIL_1")
        assert "".join(delta.reasoning for delta in shown) == whole.reasoning.removesuffix("[EMAIL_1")


@with_presidio
def test_presidio_adds_what_it_knows() -> None:
    text = "Send it to 00:1B:44:11:3A:B7 from 10.20.30.40, see https://example.org, 2026-11-24."
    request, vault = before_generate(asked(text))
    assert (
        request.fields["text"] == "Send it to [MAC_ADDRESS_1] from [IP_ADDRESS_1], see https://example.org, 2026-11-24."
    )
    assert after_generate(Completion(request.fields["text"]), vault).text == text
