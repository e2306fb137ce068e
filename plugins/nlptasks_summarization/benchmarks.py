"""Published datasets of documents and summaries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nlptasks.benchmarks import Benchmark

Row = Mapping[str, Any]
BETWEEN_DOCUMENTS = "|||||"


def _sentences_joined(row: Row) -> Iterator[Row]:
    yield {**row, "source": " ".join(row["source"])}


def _documents_parted(row: Row) -> Iterator[Row]:
    parts = (part.strip() for part in row["document"].split(BETWEEN_DOCUMENTS))
    yield {**row, "document": [part for part in parts if part]}


CNN_DAILYMAIL = Benchmark(
    name="cnn_dailymail",
    task="summarization",
    dataset="abisee/cnn_dailymail",
    config="3.0.0",
    columns={"id": "id", "document": "article", "summary": "highlights"},
    lang="en",
    licence="Apache-2.0 (dataset card); the news texts are their publishers'",
    citation="See et al. 2017: Get To The Point, https://aclanthology.org/P17-1099",
    url="https://huggingface.co/datasets/abisee/cnn_dailymail",
)

XSUM = Benchmark(
    name="xsum",
    task="summarization",
    dataset="EdinburghNLP/xsum",
    columns={"id": "id", "document": "document", "summary": "summary"},
    lang="en",
    licence="not stated; the news texts are the BBC's",
    citation="Narayan et al. 2018: Don't Give Me the Details, Just the Summary, https://aclanthology.org/D18-1206",
    url="https://huggingface.co/datasets/EdinburghNLP/xsum",
)

SAMSUM = Benchmark(
    name="samsum",
    task="summarization",
    dataset="knkarthick/samsum",
    columns={"id": "id", "document": "dialogue", "summary": "summary"},
    lang="en",
    licence="CC BY-NC-ND 4.0",
    citation="Gliwa et al. 2019: SAMSum Corpus, https://aclanthology.org/D19-5409",
    url="https://huggingface.co/datasets/knkarthick/samsum",
)

SCITLDR = Benchmark(
    name="scitldr",
    task="summarization",
    dataset="allenai/scitldr",
    config="Abstract",
    revision="refs/convert/parquet",
    columns={"id": "paper_id", "document": "source", "summary": "target"},
    expand=_sentences_joined,
    lang="en",
    licence="Apache-2.0",
    citation="Cachola et al. 2020: TLDR, https://aclanthology.org/2020.findings-emnlp.428",
    url="https://huggingface.co/datasets/allenai/scitldr",
)

MULTI_NEWS = Benchmark(
    name="multi_news",
    task="summarization",
    dataset="alexfabbri/multi_news",
    revision="refs/convert/parquet",
    columns={"document": "document", "summary": "summary"},
    expand=_documents_parted,
    lang="en",
    licence="for non-commercial research (LICENSE.txt of the authors)",
    citation="Fabbri et al. 2019: Multi-News, https://aclanthology.org/P19-1102",
    url="https://huggingface.co/datasets/alexfabbri/multi_news",
)

CSL = Benchmark(
    name="csl",
    task="summarization",
    dataset="neuclir/csl",
    split="csl",
    columns={"id": "doc_id", "document": "abstract", "summary": "title"},
    lang="zh",
    licence="Apache-2.0",
    citation="Li et al. 2022: CSL, https://aclanthology.org/2022.coling-1.344",
    url="https://huggingface.co/datasets/neuclir/csl",
)
