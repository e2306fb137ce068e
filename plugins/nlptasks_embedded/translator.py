"""Translations: sentence by sentence, for the part learnt from single sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from nlptasks import Completion, Failure, Request, Usage
from nlptasks.text import detect_language, is_unspaced, sentence_spans, split_to_fit
from nlptasks_embedded.parts import Parts

TASK = "translation"
BEAMS = 4
LONGEST = 96
"""Tokens of a piece: longer sentences are cut, for none so long were learnt from."""


@dataclass(frozen=True)
class Pair:
    """The languages to translate between, as codes without a region."""

    source: str
    target: str

    @classmethod
    def of(cls, request: Request) -> Pair:
        """Return what a request says, or what its text is."""
        source = request.fields.get("source_lang") or detect_language(request.fields["text"])
        return cls(source.partition("-")[0], request.fields.get("target_lang", "").partition("-")[0])

    def __str__(self) -> str:
        return f"{self.source}-{self.target}"

    def between(self, space: str) -> str:
        """Return what stands between the translations of pieces that had ``space`` between them."""
        if is_unspaced(self.target):
            return "" if space.isspace() and "\n" not in space else space
        return space or " "


def translations(requests: Sequence[Request], parts: Parts) -> Iterator[Completion | Failure]:
    """Yield the translation for each request; all their sentences are translated together."""
    pairs = [Pair.of(request) for request in requests]
    texts = [list(_pieces(request, pair, parts)) for request, pair in zip(requests, pairs, strict=True)]
    answers = iter(parts.model(TASK).complete([asked for pieces in texts for asked, _ in pieces]))
    for pair, pieces in zip(pairs, texts, strict=True):
        yield _joined([next(answers) for _ in pieces], [space for _, space in pieces], pair)


def _pieces(request: Request, pair: Pair, parts: Parts) -> Iterator[tuple[Request, str]]:
    """Yield the request for each sentence, or part of a long one, and the space behind it."""
    text, model = request.fields["text"], parts.model(TASK)
    for (start, end), (after, _) in pairwise([*sentence_spans(text, pair.source), (len(text), len(text))]):
        *cut, last = split_to_fit(text[start:end], LONGEST, lambda piece: model.count(_request(request, pair, piece)))
        yield from ((_request(request, pair, piece), " ") for piece in cut)
        yield _request(request, pair, last), text[end:after]


def _request(request: Request, pair: Pair, piece: str) -> Request:
    config = request.config
    fields = {"text": piece, "source_lang": pair.source, "target_lang": pair.target}
    beams = config.num_beams if config.num_beams > 1 or config.temperature else BEAMS
    return replace(request, messages=(), fields=fields, config=replace(config, num_beams=beams))


def _joined(answers: Sequence[Completion | Failure], spaces: Sequence[str], pair: Pair) -> Completion | Failure:
    """Return the translations of one text's pieces as one, or the failure of one of them."""
    done = [answer for answer in answers if isinstance(answer, Completion)]
    if failed := [answer for answer in answers if isinstance(answer, Failure)]:
        return failed[0]
    behind = [pair.between(space) for space in spaces[:-1]] + [spaces[-1]]
    return replace(
        done[0],
        text="".join(answer.text + space for answer, space in zip(done, behind, strict=True)),
        usage=Usage(sum(a.usage.prompt_tokens for a in done), sum(a.usage.completion_tokens for a in done)),
        finish_reason="length" if any(answer.finish_reason == "length" for answer in done) else "stop",
        latency=max(answer.latency for answer in done),
    )
