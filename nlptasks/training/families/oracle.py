"""Which sentences of a text make the best summary, seen from a reference: what sentence selection learns from."""

from __future__ import annotations

from collections.abc import Sequence

from nlptasks.text import words

MOST = 5
"""Sentences that are marked."""


def oracle(sentences: Sequence[str], reference: str) -> list[int]:
    """Return the places of sentences, best first, each of which brings their summary nearer to the reference.

    The greedy search of Nallapati et al. (SummaRuNNer, 2017), by the F-measure of ROUGE-L (Lin, 2004).
    """
    wanted, tokens = words(reference), [words(sentence) for sentence in sentences]
    taken: list[int] = []
    best = 0.0
    while len(taken) < min(MOST, len(tokens)):
        score, place = max((_score(tokens, [*taken, p], wanted), -p) for p in range(len(tokens)) if p not in taken)
        if score <= best:
            break
        best = score
        taken.append(-place)
    return taken


def _score(tokens: Sequence[list[str]], places: list[int], wanted: list[str]) -> float:
    from rapidfuzz.distance import LCSseq

    summary = [token for place in sorted(places) for token in tokens[place]]
    return 2 * LCSseq.similarity(summary, wanted) / max(1, len(summary) + len(wanted))
