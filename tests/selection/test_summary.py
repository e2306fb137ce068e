from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nlptasks.selection import Document, Shape, summarize

WORDS = "ferry town river bridge train market school garden winter summer harbour lantern".split()
TEXT = " ".join(f"The old {word} {word}s." for word in WORDS)


def scores(*best: int) -> Any:
    """Rank the sentences of a document in this order, and all others equally behind them."""

    def score(document: Document) -> Any:
        found = np.full(len(document.sentences), -10.0)
        for rank, place in enumerate(best):
            found[place] = -rank
        return found

    return score


def test_sentences_stand_in_the_order_of_the_text_however_they_rank() -> None:
    assert summarize(Document.read(TEXT), Shape(), scores(7, 2)) == "The old river rivers. The old garden gardens."


@pytest.mark.parametrize(
    ("available", "shape", "number"),
    [
        (1, Shape(), 1),
        (9, Shape(), 1),
        (12, Shape(), 2),
        (20, Shape(), 5),
        (500, Shape(), 5),
        (500, Shape(sentences=2), 2),
        (20, Shape(sentences=12), 12),
        (12, Shape(sentences=12), 6),
        (6, Shape(style="bullets"), 4),
        (6, Shape(sentences=2, style="bullets"), 2),
        (6, Shape(sentences=1, style="headline"), 1),
    ],
)
def test_a_longer_text_has_a_longer_summary_up_to_what_was_asked_for(available: int, shape: Shape, number: int) -> None:
    assert shape.number(available) == number


def test_a_shape_is_read_from_a_request() -> None:
    assert Shape.of({}) == Shape(5, None, None, "paragraph")
    assert Shape.of({"max_words": "30"}, 100) == Shape(None, 30, 400)
    assert Shape.of({"max_sentences": "3", "style": "bullets"}) == Shape(3, None, None, "bullets")


def test_long_sentences_are_fewer() -> None:
    long = [f"The {word} of the town " + f"has a {word} and a {word} " * 20 + "." for word in WORDS]
    short = [f"The {word} of the town {word}s." for word in WORDS]
    best = scores(0, 1, 2, 3, 4)
    shape = Shape(sentences=12)
    counts = [summarize(Document("en", texts), shape, best).count("of the town") for texts in (long, short)]
    assert counts == [4, 6]


def test_what_repeats_a_sentence_is_passed_over() -> None:
    document = Document("en", ["The ferry of the town is new."] * 2 + [f"A {word} {word}s." for word in WORDS])
    summary = summarize(document, Shape(None, words=11), scores(0, 1, 5))
    assert summary == "The ferry of the town is new. A bridge bridges."


def test_no_text_has_no_summary() -> None:
    assert summarize(Document.read(" "), Shape(), scores()) == ""


def test_a_much_worse_sentence_does_not_stand_in_for_one_that_is_too_long() -> None:
    document = Document("en", ["The ferry of the town is new and quiet.", "A dog barks."])
    assert summarize(document, Shape(None, words=4), scores(0)) == "The ferry of the…"
    assert summarize(document, Shape(None, words=4), scores(0, 1)) == "A dog barks."
