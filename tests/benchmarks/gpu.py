"""A thousand mixed prompts on a model of a billion weights, where there is a CUDA GPU."""

from __future__ import annotations

from functools import partial

from tests.benchmarks.generation import prompts
from tests.benchmarks.measuring import interleaved, middle, ratios, table
from tests.benchmarks.shapes import STEPS
from tests.benchmarks.workshop import Workshop

PROMPTS = 1000


def measure(shop: Workshop) -> str:
    """Return the table: ours beside transformers' ``generate_batch``, and beside reading the weights once a step."""
    if "cuda" not in shop.limits:
        return "### GPU\n\nThis machine has no CUDA GPU.\n"
    return compared(shop, shop.model("llama-1b"), "cuda")


def compared(shop: Workshop, model: object, device: str) -> str:
    """Return the table of a model on a device."""
    given = prompts(shop.count(PROMPTS))
    work = {"model": model, "device": device, "precision": "bfloat16", "task": "chat", "new": STEPS, "beams": 1}
    ways = ("nlptasks", "generate_batch")
    outcomes = interleaved(
        {way: partial(shop.generate, way, {**work, "prompts": given, "batch": 1}) for way in ways}, shop.rounds
    )
    base = [each["seconds"] for each in outcomes["nlptasks"]]
    rows = []
    for name, found in outcomes.items():
        seconds = [each["seconds"] for each in found]
        pace = (sum(len(answer.split()) + 1 for answer in each["answers"]) / each["seconds"] for each in found)
        rows.append([name, middle(seconds), middle(pace, 0), ratios(seconds, base)])
    reads = shop.limits[device]["bytes"] / 1e9
    return (
        f"### {len(given)} prompts on {device}\n\n{table(['', 'seconds', 'new tokens/s', 'times ours'], rows)}\n"
        f"This device reads {reads:,.0f} GB/s.\n"
    )
