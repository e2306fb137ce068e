from __future__ import annotations

import pytest

from nlptasks.explain.tokens import Token, group_words, read_tokens, shown
from tests.explain.conftest import Opened

CONTROL = ("</s>", "[CLS]", "[SEP]", "eng_Latn")


def tokens(*texts: str) -> list[Token]:
    """Tokens of these texts; what stands in angle brackets is special."""
    return [Token(place, 0, text, text.startswith("<")) for place, text in enumerate(texts)]


@pytest.mark.parametrize("family", ["gpt2", "llama"])
@pytest.mark.parametrize("text", ["今天天气很好", "Wie schön ist das Wetter?", "a\tb\n", "🙂 naïve", "嗯"])
def test_shown_together_tokens_are_the_text(opened: Opened, family: str, text: str) -> None:
    tokenizer = opened(family).tokenizer
    ids = tokenizer(text)["input_ids"]
    found = read_tokens(tokenizer, ids)
    assert [(one.position, one.id) for one in found] == list(enumerate(ids))
    parts = [one.text for one in found if not one.special]
    data = b"".join(bytes.fromhex(part[1:-1]) if part[0] == "<" else part.encode() for part in parts)
    assert data.decode() == shown(text)


@pytest.mark.parametrize(
    ("family", "text", "texts"),
    [
        ("gpt2", "嗯", ["<E5>", "<97>", "<AF>"]),  # a character that is no token of its own
        ("marian", "今天", ["␣", "今", "天", "</s>"]),
        ("t5", "the", ["␣", "the", "</s>"]),
        ("bert-qa", "where 今", ["[CLS]", "where", "今", "[SEP]"]),
        ("nllb", "the weather", ["eng_Latn", "␣the", "␣weather", "</s>"]),
    ],
)
def test_how_each_kind_of_token_is_shown(opened: Opened, family: str, text: str, texts: list[str]) -> None:
    tokenizer = opened(family).tokenizer
    found = read_tokens(tokenizer, tokenizer(text)["input_ids"])
    assert [one.text for one in found] == texts
    assert [one.text for one in found if one.special] == [one for one in texts if one in CONTROL]


def test_nothing_shown_steers_a_terminal() -> None:
    assert shown("a\x1b[31m\u202eb\n c") == "a\\u001b[31m\\u202eb↵␣c"


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["␣The", "␣we", "at", "her", "␣is", "."], ["The", "weather", "is", "."]),
        (["␣", "今", "天", "天气", "很", "好"], ["今", "天", "天气", "很", "好"]),
        (["<s>", "␣D", "as", "␣Wetter", ",", "␣", "sch", "ön", "</s>"], ["Das", "Wetter", ",", "schön"]),
        (["␣天气", "is", "␣fine"], ["天气", "is", "fine"]),
        (["<s>", "</s>"], []),
    ],
)
def test_words_from_tokens(texts: list[str], words: list[str]) -> None:
    found = list(group_words(tokens(*texts)))
    assert [word.text for word in found] == words
    for word in found:
        parts = "".join(texts[word.first : word.end]).lstrip("␣")
        assert parts == word.text
