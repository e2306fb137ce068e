"""Prompts that begin alike: many questions on one document, and rows behind the same examples."""

from __future__ import annotations

import random
from functools import partial

from tests.benchmarks.generation import prompt
from tests.benchmarks.measuring import interleaved, middle, ratios, table
from tests.benchmarks.shapes import LLAMA, STEPS
from tests.benchmarks.workshop import Workshop, words

ROWS = 64
KINDS = {"questions on a document of 1,500 tokens": (1500, (10, 30)), "rows behind 1,000 tokens": (1000, (20, 60))}
NEW = (8, 24)


def prompts(count: int, prefix: int, sizes: tuple[int, int]) -> list[str]:
    """Return prompts with the same first ``prefix`` tokens."""
    chance = random.Random(0)
    first = words(chance, prefix, LLAMA)
    rows = (prompt(chance, chance.randint(*sizes), chance.randint(*NEW)) for _ in range(count))
    return [" ".join([*first, row]) for row in rows]


def measure(shop: Workshop) -> str:
    """Return the table: with and without the shared beginning read once; what it saves depends on how many share it."""
    work = {"model": shop.model("llama"), "device": "cpu", "precision": "float32", "task": "chat", "beams": 1}
    rows = []
    for name, (prefix, sizes) in KINDS.items():
        given = {**work, "prompts": prompts(ROWS, prefix, sizes), "new": STEPS}
        outcomes = interleaved(
            {way: partial(shop.generate, way, given) for way in ("nlptasks", "nlptasks_apart")}, shop.rounds
        )
        once, apart = ([each["seconds"] for each in found] for found in outcomes.values())
        answers = [found["answers"] for each in outcomes.values() for found in each]
        equal = sum(len(set(same)) == 1 for same in zip(*answers, strict=True))
        rows.append([f"{ROWS} {name}", middle(once), middle(apart), ratios(apart, once), f"{equal} of {ROWS}"])
    head = ["", "seconds", "each read whole", "times faster", "answers equal"]
    return f"### Prompts that begin alike\n\n{table(head, rows)}"
