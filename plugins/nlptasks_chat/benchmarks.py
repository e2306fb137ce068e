"""Published sets of questions to chat models, and a text to measure perplexity on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nlptasks.benchmarks import Benchmark

Row = Mapping[str, Any]


def _turns(row: Row) -> Iterator[Row]:
    """Make user turns of a question's; the authors' own file and the Hub's copy name them differently."""
    turns = row["turns"] if "turns" in row else row["prompt"]
    id_ = row["question_id"] if "question_id" in row else row["prompt_id"]
    yield {**row, "id": str(id_), "turns": [{"role": "user", "content": turn} for turn in turns]}


def _filled(row: Row) -> Iterator[Row]:
    if row["text"].strip():
        yield row


MT_BENCH = Benchmark(
    name="mt_bench",
    task="chat",
    dataset="HuggingFaceH4/mt_bench_prompts",
    split="train",
    columns={"id": "id", "turns": "turns", "prompt": "turns.content", "category": "category"},
    expand=_turns,
    metrics=("distinct_n", "length"),
    lang="en",
    licence="Apache-2.0",
    citation="Zheng et al. 2023: Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena, https://arxiv.org/abs/2306.05685",
    url="https://github.com/lm-sys/FastChat/tree/main/fastchat/llm_judge",
)

ALPACA_EVAL = Benchmark(
    name="alpaca_eval",
    task="chat",
    dataset="tatsu-lab/alpaca_eval",
    config="alpaca_eval",
    split="eval",
    revision="refs/convert/parquet",
    columns={"message": "instruction", "reference": "output", "baseline": "output", "dataset": "dataset"},
    lang="en",
    licence="CC BY-NC 4.0",
    citation="Li et al. 2023: AlpacaEval, https://github.com/tatsu-lab/alpaca_eval",
    url="https://huggingface.co/datasets/tatsu-lab/alpaca_eval",
)

WIKITEXT2 = Benchmark(
    name="wikitext2",
    task="loglikelihood",
    dataset="Salesforce/wikitext",
    config="wikitext-2-raw-v1",
    columns={"text": "text"},
    expand=_filled,
    lang="en",
    licence="CC BY-SA 3.0",
    citation="Merity et al. 2017: Pointer Sentinel Mixture Models, https://arxiv.org/abs/1609.07843",
    url="https://huggingface.co/datasets/Salesforce/wikitext",
)
