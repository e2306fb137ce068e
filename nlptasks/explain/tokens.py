"""Tokens in a form that people can read, and the words they make up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

SPACE = "␣"
"""How the space before a word is shown; tokenizers count it to the word."""

SIGNS = {" ": SPACE, "\n": "↵", "\t": "⇥"}


@dataclass(frozen=True)
class Token:
    """One token: its place in the sequence from 0, its id in the vocabulary, and how it is shown.

    ``special`` tells a control token, which stands for no text.
    """

    position: int
    id: int
    text: str
    special: bool = False


def read_tokens(tokenizer: Any, ids: Sequence[int]) -> tuple[Token, ...]:
    """Return the tokens that ``ids`` stand for. Half a character is shown as its bytes: ``<E4 BB>``."""
    special = {*tokenizer.all_special_ids, *tokenizer.get_added_vocab().values()}
    pieces = tokenizer.convert_ids_to_tokens(list(ids))
    byte_level = "ByteLevel" in repr(getattr(getattr(tokenizer, "backend_tokenizer", None), "decoder", None))
    found = []
    for position, (id_, piece) in enumerate(zip(ids, pieces, strict=True)):
        own = id_ in special
        found.append(Token(position, id_, shown(piece if own else _text(piece, byte_level)), own))
    return tuple(found)


def shown(text: str) -> str:
    """Return ``text`` with signs for what cannot be seen, so that nothing in it steers a terminal."""
    return "".join(SIGNS.get(char) or (char if char.isprintable() else f"\\u{ord(char):04x}") for char in text)


def _text(piece: str, byte_level: bool) -> str:
    if not byte_level:
        return piece.replace("▁", " ")
    table = _bytes()
    if any(char not in table for char in piece):
        return piece
    data = bytes(table[char] for char in piece)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return f"<{data.hex(' ').upper()}>"


@cache
def _bytes() -> dict[str, int]:
    """Return the byte that each character of a byte-level vocabulary stands for.

    The alphabet is GPT-2's: printable bytes stand for themselves, the others for characters from U+0100 on.
    """
    itself = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in itself]
    return {chr(byte): byte for byte in itself} | {chr(0x100 + place): byte for place, byte in enumerate(others)}


@dataclass(frozen=True)
class Word:
    """A word, and the positions ``first`` up to but not including ``end`` of its tokens."""

    text: str
    first: int
    end: int


def group_words(tokens: Sequence[Token]) -> Iterator[Word]:
    """Yield the words that tokens make up; control tokens are none, a character of Chinese is one."""
    first, text = 0, ""
    for token in tokens:
        if text and (token.special or _begins(text, token.text)):
            yield Word(text, first, token.position)
            text = ""
        if token.special:
            continue
        if not text:
            first = token.position
        text = (text + token.text).lstrip(SPACE)
    if text:
        yield Word(text, first, len(tokens))


def _begins(word: str, piece: str) -> bool:
    """Tell whether ``piece`` begins another word than the one that goes before it."""
    from nlptasks.text import words

    if piece.startswith(SPACE) or not words(piece) or not words(word):
        return True
    return len(words(word + piece)) > len(words(word))
