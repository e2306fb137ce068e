"""The three trainings, each a function from the workshop to the folder of the model it made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from nlptasks.backends.hf.quiet import quiet
from nlptasks.training.train import Data, train
from nlptasks_embedded.recipe.questions import crops, whole
from nlptasks_embedded.recipe.sources import ENCYCLOPEDIC, PAIRS, QUESTIONS, SUMMARIES
from nlptasks_embedded.recipe.workshop import Workshop

CROPS = 2
WINDOW = 384
TURNED = {"source": "target", "target": "source", "source_lang": "target_lang", "target_lang": "source_lang"}
UPDATES, UPDATES_ON_CUDA = 5200, 30_000
"""Of the translator: an hour and a half on two cores, and what a GPU does in less time."""


def reader(workshop: Workshop) -> Path:
    """Learn to mark answers: short crops first, whole passages last."""
    from transformers import AutoTokenizer

    work = workshop.work("question-answering")
    tokenizer = AutoTokenizer.from_pretrained(workshop.encoder)
    files = []
    for number, source in enumerate(QUESTIONS):
        rows = list(workshop.rows(source.name))
        lessons = [*crops(rows, tokenizer, CROPS, seed=1), *(map(whole, rows) if number < ENCYCLOPEDIC else ())]
        files.append(workshop.write(work / f"{source.name}.jsonl", lessons))
    trained = train(
        "question-answering",
        files,
        model=f"hf/{workshop.encoder}",
        output=work / "model",
        epochs=1,
        learning_rate=2e-4,
        max_length=WINDOW,
        curriculum=True,
        watch=workshop.watch,
        **workshop.limits,
    )
    return trained.output


def selector(workshop: Workshop) -> Path:
    """Learn which sentences make a summary: in English from embeddings too, elsewhere from what any text has."""
    from transformers import AutoModel, AutoTokenizer

    from nlptasks.backends.hf.selector import on_encoder

    work = workshop.work("summarization")
    with quiet():
        on_encoder(AutoModel.from_pretrained(workshop.encoder), ["en"]).save_pretrained(work / "start")
        AutoTokenizer.from_pretrained(workshop.encoder).save_pretrained(work / "start")
    data = [
        Data(workshop.write(work / f"{source.name}.jsonl", workshop.rows(source.name)), source.weight)
        for source in SUMMARIES
    ]
    trained = train(
        "summarization",
        data,
        model=f"hf/{work / 'start'}",
        output=work / "model",
        watch=workshop.watch,
        **workshop.limits,
    )
    return trained.output


def translator(workshop: Workshop) -> Path:
    """Learn to translate sentences, both ways at once, from nothing."""
    import torch

    work = workshop.work("translation")
    data = []
    for source in PAIRS:
        file = workshop.write(work / f"{source.name}.jsonl", workshop.rows(source.name))
        data += [Data(file, source.weight), Data(file, source.weight, columns=TURNED)]
    steps = UPDATES_ON_CUDA if torch.cuda.is_available() else UPDATES
    trained = train(
        "translation",
        data,
        config="translator-small",
        output=work / "model",
        epochs=20,
        batch_tokens=4096,
        learning_rate=1.5e-3,
        label_smoothing=0.1,
        curriculum=True,
        watch=workshop.watch,
        **{"max_steps": steps, **workshop.limits},
    )
    return trained.output


MAKERS: Mapping[str, Callable[[Workshop], Path]] = {
    "question-answering": reader,
    "summarization": selector,
    "translation": translator,
}
