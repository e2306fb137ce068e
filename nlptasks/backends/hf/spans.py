"""Which span of a context answers best, from the scores of each window's tokens.

Scores are computed as in the question-answering pipeline of transformers 4, so that they compare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from nlptasks.backends.hf.backend import refuse
from nlptasks.records import Request


@dataclass(frozen=True)
class Search:
    """One question and how to look for its answer; lengths are in tokens, ``doc_stride`` is the overlap."""

    position: int
    request: Request
    top_k: int = 1
    doc_stride: int = 128
    max_answer_len: int = 15
    max_seq_len: int = 384
    max_question_len: int = 64
    handle_impossible_answer: bool = True
    align_to_words: bool = True

    @classmethod
    def of(cls, position: int, request: Request) -> Search:
        """Read the settings from ``request``. Raises SampleError for an unknown or impossible one.

        That there is no answer is an answer, unless the field ``allow_no_answer`` is "false".
        """
        known = {field.name for field in fields(cls)[2:]}
        extra = dict(request.config.extra)
        if unknown := sorted(set(extra) - known):
            message = f"Unknown question-answering option {unknown[0]!r}; there are {', '.join(sorted(known))}."
            raise refuse("bad_request", message)
        if request.config.max_new_tokens is not None:
            extra.setdefault("max_answer_len", request.config.max_new_tokens)
        extra.setdefault("handle_impossible_answer", request.fields.get("allow_no_answer") != "false")
        search = cls(position, request, **extra)
        for name in ("top_k", "max_answer_len", "max_seq_len", "max_question_len"):
            if getattr(search, name) < 1:
                raise refuse("bad_request", f"{name} must be at least 1, not {getattr(search, name)}.")
        return search


@dataclass(frozen=True)
class Window:
    """A question and one stretch of its context, as the model reads them.

    ``offsets`` are character positions, ``inside`` says which tokens belong to the context, ``null`` is the
    token that stands for "no answer".
    """

    search: Search
    inputs: Mapping[str, Any]
    offsets: Sequence[tuple[int, int]]
    inside: Sequence[bool]
    null: int
    group: None = None

    @property
    def size(self) -> int:
        return len(self.inside)


@dataclass(frozen=True)
class Span:
    """Characters ``start`` to ``end`` of the context, and how probable they are as the answer (0-1)."""

    start: int
    end: int
    answer: str
    score: float

    @property
    def numbers(self) -> dict[str, Any]:
        return {"score": self.score, "start": self.start, "end": self.end}


def find_spans(window: Window, start: Any, end: Any) -> tuple[list[Span], float]:
    """Return the best spans of a window, and the score of there being no answer in it."""
    import torch

    starts, ends = probabilities(window, start, end)
    null = float(starts[window.null] * ends[window.null])
    inside = torch.tensor(window.inside)
    starts, ends = starts * inside, ends * inside
    longest = window.search.max_answer_len
    pairs = torch.outer(starts, ends).triu().tril(longest - 1).flatten()
    scores, places = pairs.topk(min(window.search.top_k, len(pairs)))
    found = [(score, place) for score, place in zip(scores.tolist(), places.tolist(), strict=True) if score > 0]
    return [_span(window, place, score) for score, place in found], null


def probabilities(window: Window, start: Any, end: Any) -> tuple[Any, Any]:
    """Return how probable each token is as the first and the last of the answer: context and ``null`` alone can be."""
    import torch

    allowed = torch.tensor(window.inside)
    allowed[window.null] = True
    starts, ends = (scores.masked_fill(~allowed, -10000.0).softmax(-1) for scores in (start, end))
    return starts, ends


def best_spans(search: Search, spans: Sequence[Span], null: float) -> list[Span]:
    """Return the ``top_k`` best of all windows' spans, each once; "no answer" is one where that is allowed."""
    best: dict[tuple[int, int], Span] = {}
    nothing = [Span(0, 0, "", null)] if search.handle_impossible_answer else []
    for span in sorted([*spans, *nothing], key=lambda span: span.score, reverse=True):
        best.setdefault((span.start, span.end), span)
    return list(best.values())[: search.top_k]


def _span(window: Window, place: int, score: float) -> Span:
    first, last = divmod(place, window.size)
    context = window.search.request.fields["context"]
    start, end = window.offsets[first][0], window.offsets[last][1]
    if window.search.align_to_words:
        start, end = whole_words(context, start, end)
    while start < end and context[start].isspace():  # some tokenizers count the space before a word to it
        start += 1
    return Span(start, end, context[start:end], score)


def whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a span to whole words, in scripts that write words whole and apart."""
    letter = _letter()
    while 0 < start < len(text) and letter.fullmatch(text[start - 1]) and letter.fullmatch(text[start]):
        start -= 1
    while 0 < end < len(text) and letter.fullmatch(text[end - 1]) and letter.fullmatch(text[end]):
        end += 1
    return start, end


@cache
def _letter() -> Any:
    import regex  # transformers brings it; the standard library's re knows no scripts

    return regex.compile(r"[\p{Latin}\p{Greek}\p{Cyrillic}\p{Nd}\p{M}]")
