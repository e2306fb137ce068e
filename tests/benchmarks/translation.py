"""Sentences of 5 to 80 tokens, four beams, on a model of Marian's shape: ours beside ``generate`` as most call it."""

from __future__ import annotations

import random
from functools import partial

from tests.benchmarks.measuring import interleaved, middle, ratios, table
from tests.benchmarks.shapes import MARIAN, SENTENCE, token
from tests.benchmarks.workshop import Workshop

SENTENCES, SIZES, BEAMS, BATCH = 200, (5, 80), 4, 8


def sentences(count: int) -> list[str]:
    """Return sentences, of which every word says how long the translation is: as long as the sentence."""
    chance = random.Random(0)
    sizes = [chance.randint(*SIZES) for _ in range(count)]
    variants = (MARIAN - 3) // SENTENCE
    return [" ".join(str(token(n, chance.randrange(variants), SENTENCE)) for _ in range(n)) + " </s>" for n in sizes]


def measure(shop: Workshop) -> str:
    """Return the table."""
    given = sentences(shop.count(SENTENCES))
    work = {
        "model": shop.model("marian"),
        "device": "cpu",
        "precision": "float32",
        "task": "translation",
        "prompts": given,
        "new": 2 * SENTENCE,
        "beams": BEAMS,
        "batch": BATCH,
    }
    ways = {way: partial(shop.generate, way, work) for way in ("nlptasks", "generate")}
    outcomes = interleaved(ways, shop.rounds)
    ours, theirs = ([each["seconds"] for each in found] for found in outcomes.values())
    pairs = zip(*(found["answers"] for each in outcomes.values() for found in each), strict=True)
    equal = sum(len(set(same)) == 1 for same in pairs)
    head = ["", "seconds", f"`generate`, batches of {BATCH} as they come", "times faster", "answers equal"]
    row = [f"{len(given)} sentences, {BEAMS} beams", middle(ours), middle(theirs), ratios(theirs, ours)]
    return f"### Translation\n\n{table(head, [[*row, f'{equal} of {len(given)}']])}"
