"""The translation task: text out in another language, its lines and paragraphs kept."""

from nlptasks import Spec, hookimpl
from nlptasks_translation.pairs import attribute, benchmark_name, pairs


@hookimpl
def register_tasks() -> list[Spec]:
    """Contribute the task."""
    return [
        Spec(
            name="translation",
            target="nlptasks_translation.task:Translation",
            summary="translate text, keeping its lines, paragraphs and a glossary's terms",
            verb="translate",
        )
    ]


@hookimpl
def register_benchmarks() -> list[Spec]:
    """Contribute published test sets, a benchmark for each direction."""
    return [
        Spec(benchmark_name(*one), f"nlptasks_translation.benchmarks:{attribute(*one)}", f"{one[1]} to {one[2]}")
        for one in pairs()
    ]
