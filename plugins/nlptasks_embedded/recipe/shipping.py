"""From a trained model to the part that is shipped: packed, described, scored."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import prod
from pathlib import Path

from nlptasks_embedded.parts import FACTS, Part, Parts
from nlptasks_embedded.recipe.card import card
from nlptasks_embedded.recipe.sources import PAIRS, QUESTIONS, SUMMARIES, Source

ENCODER = "sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0)"
KEPT = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json")


@dataclass(frozen=True)
class Kind:
    """What is told of a part whatever its weights, and the figures of the benchmarks that it is scored on."""

    languages: Sequence[str]
    base: str
    sources: Sequence[Source]
    benches: Sequence[str]
    figures: Sequence[str]


SQUAD, ROUGE, BLEU = ("f1", "exact_match", "exact"), ("rouge1", "rouge2", "rougeL"), ("bleu", "chrf")
KINDS: Mapping[str, Kind] = {
    "question-answering": Kind(
        ["en"],
        ENCODER,
        QUESTIONS,
        ("squad1_en", "squad2_en", "squadshifts_newwiki_en", "squadshifts_reddit_en", "squadshifts_amazon_en"),
        SQUAD,
    ),
    "summarization": Kind(
        ["en"],
        ENCODER,
        SUMMARIES,
        ("scitldr_en", "dialogsum_en", "qmsum_en", "klexikon_de", "vcsum_zh", "csl_zh"),
        ROUGE,
    ),
    "translation": Kind(
        ["en-de", "de-en", "en-zh", "zh-en"],
        "nothing: random weights",
        PAIRS,
        ("tatoeba_en-de", "tatoeba_en-zh", "multi30k_en-de"),
        BLEU,
    ),
}


def ship(task: str, model: Path, weights: Path) -> None:
    """Put a trained model among the weights, in eight bits, and note what it is."""
    from nlptasks.backends.hf.packed import PACKED, pack

    scratch = weights / f"{task}.new"
    shutil.rmtree(scratch, ignore_errors=True)
    pack(model, scratch)
    for path in scratch.iterdir():
        if path.name not in (PACKED, *KEPT):
            path.unlink()
    kind = KINDS[task]
    data = (scratch / PACKED).read_bytes()
    part = Part(
        task,
        kind.languages,
        parameters=_parameters(model),
        size=sum(path.stat().st_size for path in scratch.iterdir()),
        sha256=hashlib.sha256(data).hexdigest(),
        base=kind.base,
        licence="Apache-2.0",
        sources=[str(source) for source in kind.sources],
    )
    _note(weights, [*_known(weights), part])
    scratch.rename(weights / task)


def score(weights: Path, bench: Path, limit: int | None) -> None:
    """Score every part on its benchmarks as ``nlptasks eval`` does, and note the figures with their intervals."""
    parts = []
    for part in _known(weights):
        scores = dict(part.scores)
        for name, file in _files(bench, KINDS[part.task].benches):
            scores[name] = _scored(part.task, file, weights, limit)
        parts.append(replace(part, scores=scores))
        _note(weights, [*(one for one in _known(weights) if one.task != part.task), parts[-1]])


def _scored(task: str, file: Path, weights: Path, limit: int | None) -> str:
    from nlptasks import evaluate

    output = weights.parent / "work" / task / "scores" / file.stem
    found = evaluate(task, file, model=f"embedded/{weights}", limit=limit, output=output, overwrite=True).results
    figures = {name: found[name] for name in KINDS[task].figures if name in found}
    return ", ".join(f"{name} {one.value:.1f} ({one.ci95[0]:.1f}-{one.ci95[1]:.1f})" for name, one in figures.items())


def _files(bench: Path, names: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Yield the files of the benchmarks that are there, under the benchmark's name and, of several, the file's."""
    for name in names:
        files = sorted((bench / name).glob("*.jsonl"))
        yield from ((name if len(files) == 1 else f"{name} {file.stem.partition('.')[2]}", file) for file in files)


def _known(weights: Path) -> list[Part]:
    return list(Parts(weights).known.values()) if (weights / FACTS).exists() else []


def _note(weights: Path, parts: Sequence[Part]) -> None:
    ordered = sorted(parts, key=lambda part: list(KINDS).index(part.task))
    facts = {part.task: {k: v for k, v in asdict(part).items() if k != "task"} for part in ordered}
    (weights / FACTS).write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (weights / "README.md").write_text(card(ordered), "utf-8")


def _parameters(model: Path) -> int:
    from safetensors import safe_open

    with safe_open(model / "model.safetensors", "numpy") as weights:
        shapes = [weights.get_slice(name).get_shape() for name in weights.keys()]  # noqa: SIM118  (no mapping)
    return sum(map(prod, shapes))
