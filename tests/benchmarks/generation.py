"""Prompts of 20 to 400 tokens with 8 to 128 new ones, on a model of 135 million weights: ours beside four peers."""

from __future__ import annotations

import random
import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from tests.benchmarks.measuring import interleaved, middle, ratios, table
from tests.benchmarks.shapes import LLAMA, STEPS, token
from tests.benchmarks.workshop import Workshop, words

PROMPTS, SIZES, NEW = 200, (20, 400), (8, 128)
BATCHES = (16, 32, 64)
"""Sizes of a batch that lm-eval and CTranslate2 are tried with."""
Answers = dict[str, Any]


def prompts(count: int) -> list[str]:
    """Return prompts, of which the last word says how many tokens are the answer."""
    chance = random.Random(0)
    return [prompt(chance, chance.randint(*SIZES), chance.randint(*NEW)) for _ in range(count)]


def prompt(chance: random.Random, size: int, new: int) -> str:
    """Return a prompt of ``size`` tokens that is answered by ``new``, the end token counted."""
    last = token(new, chance.randrange((LLAMA - 2) // STEPS), STEPS)
    return " ".join([*words(chance, size - 1, LLAMA), str(last)])


def measure(shop: Workshop) -> str:
    """Return the tables: many prompts, one prompt, and the limits of the machine."""
    given = prompts(shop.count(PROMPTS))
    work = {"device": "cpu", "precision": "float32", "task": "chat", "prompts": given, "new": STEPS, "beams": 1}
    model = shop.converted
    best = {way: fastest(shop, way, {**work, "model": model}) for way in ("lm_eval", "ctranslate2")}
    batches = {"inspect": best["lm_eval"], **best}
    named = {
        "nlptasks": ("nlptasks", "float32"),
        "transformers pipeline": ("pipeline", "float32"),
        f"lm-eval, batch {best['lm_eval']}, its best": ("lm_eval", "float32"),
        f"inspect, {best['lm_eval']} at once": ("inspect", "float32"),
        f"CTranslate2, batch {best['ctranslate2']}, its best": ("ctranslate2", "float32"),
        "nlptasks, int8": ("nlptasks", "int8"),
        "CTranslate2, int8": ("ctranslate2", "int8"),
    }
    alone = {**work, "prompts": [prompt(random.Random(1), 16, STEPS)]}
    outcomes = interleaved(
        {
            name: partial(
                shop.generate, way, {**work, "model": model, "precision": precision, "batch": batches.get(way, 1)}
            )
            for name, (way, precision) in named.items()
        }
        | {
            f"{way}, {precision}, alone": partial(
                shop.generate, way, {**alone, "model": model, "precision": precision, "batch": 1}
            )
            for way, precision in (("nlptasks", "float32"), ("pipeline", "float32"), ("nlptasks", "int8"))
        },
        shop.rounds,
    )
    return many({name: outcomes[name] for name in named}, given, shop) + one(outcomes, shop)


def fastest(shop: Workshop, way: str, work: dict[str, Any]) -> int:
    """Return the size of a batch that a way is fastest with."""
    return min(BATCHES, key=lambda batch: shop.generate(way, {**work, "batch": batch})["seconds"])


def many(outcomes: Mapping[str, Sequence[Answers]], given: Sequence[str], shop: Workshop) -> str:
    """Return the table of many prompts."""
    base = [each["seconds"] for each in outcomes["nlptasks"]]
    truth = outcomes["transformers pipeline"][0]["answers"]
    written = sum(len(answer.split()) + 1 for answer in truth)
    least = floor(sum(len(text.split()) for text in given), written, len(given)) / shop.limits["cpu"]["products"]
    rows = []
    for name, found in outcomes.items():
        seconds = [each["seconds"] for each in found]
        equal = min(sum(a == b for a, b in zip(each["answers"], truth, strict=True)) for each in found)
        own = outcomes["nlptasks, int8"] if name.endswith("int8") else None
        than = [each["seconds"] for each in own] if own else base
        rows.append(
            [
                name,
                middle(seconds),
                middle(each["cpu"] for each in found),
                ratios(seconds, than),
                f"{written / statistics.median(seconds):,.0f}",
                f"{equal} of {len(truth)}",
            ]
        )
    head = ["", "seconds", "CPU seconds", "times ours", "new tokens/s", "answers as the pipeline's"]
    slow, quick = ([each["seconds"] for each in outcomes[name]] for name in ("transformers pipeline", "nlptasks, int8"))
    gain = ratios(slow, quick)
    return (
        f"### {len(given)} prompts, {written:,} new tokens\n\n{table(head, rows)}\n"
        f"In int8, ours is {gain} times as fast as the pipeline. The products alone would take {least:.1f} s in float32"
        f" at the {shop.limits['cpu']['products'] / 1e9:.0f} GFLOP/s that this machine computes, and"
        f" {least * shop.limits['cpu']['products'] / shop.limits['cpu']['int8']:.1f} s in int8: ours takes"
        f" {statistics.median(base) / least:.1f} times that in float32.\n\n"
    )


def floor(read: int, written: int, rows: int) -> float:
    """Return the operations that reading and writing so many tokens takes at least: the products with the weights.

    Attention is left out. The matrix of the vocabulary is needed for new tokens only.
    """
    body, vocabulary = weights()
    return 2.0 * (body * (read + written - rows) + vocabulary * written)


def weights() -> tuple[int, int]:
    """Return the weights of the small Llama's layers, and of its vocabulary's matrix."""
    from tests.benchmarks.shapes import SMALL

    size, inner = SMALL["hidden_size"], SMALL["intermediate_size"]
    heads = SMALL["num_attention_heads"]
    attention = size * size * 2 + 2 * size * size * 3 // heads
    return SMALL["num_hidden_layers"] * (attention + 3 * size * inner), LLAMA * size


def one(outcomes: Mapping[str, Sequence[Answers]], shop: Workshop) -> str:
    """Return the table of a single answer, where reading the weights is what takes the time."""
    speed, rows = shop.limits["cpu"]["bytes"], []
    for name, size in (("nlptasks, float32", 4), ("pipeline, float32", 4), ("nlptasks, int8", 1)):
        taken = [1000 * each["seconds"] / STEPS for each in outcomes[f"{name}, alone"]]
        least = 1000 * size * sum(weights()) / speed
        rows.append([name, middle(taken), f"{least:.1f}", f"{statistics.median(taken) / least:.2f}"])
    head = ["", "ms a token", "ms to read the weights", "times that"]
    return (
        f"### One prompt of 16 tokens, {STEPS} new\n\nThis machine reads {speed / 1e9:.1f} GB/s.\n\n{table(head, rows)}"
    )
