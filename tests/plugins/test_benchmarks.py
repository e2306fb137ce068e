"""Benchmarks: each in the form in which its authors, or the Hub, publish it. All texts here are our own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nlptasks.benchmarks import Benchmark
from nlptasks.data import Columns, column_names, plain_column
from nlptasks.errors import InputError, UnknownNameError, UsageError
from nlptasks.evaluation.dataset import Dataset
from nlptasks.job import load_task
from nlptasks.plugin import registry
from nlptasks.records import Sample

NAMES = [entry.spec.name for entry in registry().entries("benchmark")]
PASSAGE = "Der Hafen wurde 1842 gebaut. Er liegt am Fluss."
NESTED = {
    "version": "1.1",
    "data": [
        {
            "title": "Hafen",
            "paragraphs": [
                {
                    "context": PASSAGE,
                    "qas": [
                        {"id": "q1", "question": "Wann?", "answers": [{"text": "1842", "answer_start": 16}]},
                        {"id": "q2", "question": "Warum?", "answers": [], "is_impossible": True},
                    ],
                }
            ],
        }
    ],
}
FLAT = {
    "id": "q1",
    "title": "Hafen",
    "context": PASSAGE,
    "question": "Wann?",
    "answers": {"text": ["1842", "Im Jahr 1842"], "answer_start": [16, 16]},
}
QUESTION = {"id": "q1", "context": PASSAGE, "question": "Wann?"}
PAIR = {"translation": {"de": "Guten Morgen.", "en": "Good morning."}}


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def read(name: str, path: Path) -> list[Any]:
    task = registry().load("benchmark", name).task
    return [row for _, row in Dataset.named(f"{name}={path}", task).rows(plain_column(load_task(task)))]


@pytest.mark.parametrize("name", NAMES)
def test_each_is_whole(name: str) -> None:
    benchmark = registry().load("benchmark", name)
    assert isinstance(benchmark, Benchmark)
    assert benchmark.name == name
    task = load_task(benchmark.task)
    assert benchmark.licence
    assert benchmark.citation
    assert benchmark.url.startswith("https://")
    known = {n for field, info in task.Input.model_fields.items() for n in column_names(field, info)}
    assert known & set(benchmark.columns)
    assert benchmark.metrics or task.metrics
    for metric in benchmark.metrics:
        registry().find("metric", metric)


PUBLISHED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "cnn_dailymail",
        {"article": "A port opened. It is large.", "highlights": "A port opened .", "id": "f00d"},
        {"id": "f00d", "document": "A port opened. It is large.", "summary": "A port opened .", "lang": "en"},
    ),
    (
        "xsum",
        {"document": "A port opened.", "summary": "Port opens.", "id": "35232142"},
        {"id": "35232142", "document": "A port opened.", "summary": "Port opens.", "lang": "en"},
    ),
    (
        "samsum",
        {"id": "13818513", "dialogue": "Ana: Hi\r\nBen: Hello", "summary": "Ana greets Ben."},
        {"id": "13818513", "document": "Ana: Hi\r\nBen: Hello", "summary": "Ana greets Ben.", "lang": "en"},
    ),
    (
        "scitldr",
        {
            "source": ["We study ports.", "They are large."],
            "source_labels": [0, 1],
            "rouge_scores": [0.1, 0.2],
            "paper_id": "SysEexbRb",
            "target": ["Ports are large.", "On ports."],
        },
        {
            "id": "SysEexbRb",
            "document": "We study ports. They are large.",
            "summary": ["Ports are large.", "On ports."],
            "lang": "en",
        },
    ),
    (
        "multi_news",
        {"document": "A port opened. \n ||||| It is large. |||||", "summary": "– A large port opened."},
        {"document": ["A port opened.", "It is large."], "summary": "– A large port opened.", "lang": "en"},
    ),
    (
        "csl",
        {
            "doc_id": "csl-1",
            "title": "港口研究",
            "abstract": "本文研究港口。",
            "keywords": ["港口"],
            "category": "工学",
        },
        {"id": "csl-1", "document": "本文研究港口。", "summary": "港口研究", "lang": "zh"},
    ),
    (
        "wmt14.de-en",
        PAIR,
        {"source": "Guten Morgen.", "target": "Good morning.", "source_lang": "de", "target_lang": "en"},
    ),
    (
        "wmt14.en-de",
        PAIR,
        {"source": "Good morning.", "target": "Guten Morgen.", "source_lang": "en", "target_lang": "de"},
    ),
    (
        "wmt20.en-ja",
        {"translation": {"en": "Good morning.", "ja": "おはよう。"}},
        {"source": "Good morning.", "target": "おはよう。", "source_lang": "en", "target_lang": "ja"},
    ),
    (
        "wmt22.zh-en",
        {"zh-en": {"zh": "早上好。", "en": "Good morning."}},
        {"source": "早上好。", "target": "Good morning.", "source_lang": "zh", "target_lang": "en"},
    ),
    (
        "wmt24.en-de",
        {
            "lp": "en-de_DE",
            "domain": "news",
            "document_id": "test-en-news_1",
            "segment_id": 1,
            "is_bad_source": False,
            "source": "Good morning.",
            "target": "Guten Morgen.",
            "original_target": "Morgen.",
        },
        {
            "source": "Good morning.",
            "target": "Guten Morgen.",
            "domain": "news",
            "source_lang": "en",
            "target_lang": "de",
        },
    ),
    (
        "multi30k.en-de",
        {"en": "A man sits.", "de": "Ein Mann sitzt."},
        {"source": "A man sits.", "target": "Ein Mann sitzt.", "source_lang": "en", "target_lang": "de"},
    ),
    (
        "opus100.de-en",
        PAIR,
        {"source": "Guten Morgen.", "target": "Good morning.", "source_lang": "de", "target_lang": "en"},
    ),
    ("squad", FLAT, {**QUESTION, "answers": ["1842", "Im Jahr 1842"], "lang": "en"}),
    (
        "squad_v2",
        {**FLAT, "answers": {"text": [], "answer_start": []}},
        {**QUESTION, "answers": [], "lang": "en"},
    ),
    ("xquad.de", FLAT, {**QUESTION, "answers": ["1842", "Im Jahr 1842"], "lang": "de"}),
    ("mlqa.de", FLAT, {**QUESTION, "answers": ["1842", "Im Jahr 1842"], "lang": "de"}),
    ("cmrc2018", FLAT, {**QUESTION, "answers": ["1842", "Im Jahr 1842"], "lang": "zh"}),
    (
        "triviaqa",
        {
            "question": "When?",
            "question_id": "tc_1",
            "entity_pages": {"title": ["Port", "River"], "wiki_context": ["Built in 1842.", "A river."]},
            "search_results": {"search_context": []},
            "answer": {"value": "1842", "aliases": ["1842", "in 1842"], "normalized_aliases": ["1842"]},
        },
        {
            "id": "tc_1",
            "question": "When?",
            "context": ["Built in 1842.", "A river."],
            "answers": ["1842", "in 1842"],
            "lang": "en",
        },
    ),
    (
        "alpaca_eval",
        {"instruction": "Name a port.", "output": "Hamburg.", "generator": "x", "dataset": "helpful_base"},
        {
            "message": "Name a port.",
            "reference": "Hamburg.",
            "baseline": "Hamburg.",
            "dataset": "helpful_base",
            "lang": "en",
        },
    ),
]


@pytest.mark.parametrize(("name", "published", "wanted"), PUBLISHED, ids=[one[0] for one in PUBLISHED])
def test_a_published_row_becomes_the_tasks(
    tmp_path: Path, name: str, published: dict[str, Any], wanted: dict[str, Any]
) -> None:
    task = load_task(registry().load("benchmark", name).task)
    path = write(tmp_path / "published.jsonl", [published])
    assert read(name, path) == [wanted]
    dataset = Dataset.named(f"{name}={path}", task.name)
    [sample] = Columns(task).samples(dataset.rows(plain_column(task)), dataset.place)
    assert isinstance(sample, Sample), sample
    assert sample.references is not None


@pytest.mark.parametrize("name", ["squad", "squad_v2", "xquad.de", "mlqa.de", "cmrc2018", "drcd"])
def test_questions_nested_as_in_squads_own_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / "dev.json"
    path.write_text(json.dumps(NESTED), "utf-8")
    first, second = read(name, path)
    assert (first["id"], first["context"], first["answers"]) == ("q1", PASSAGE, ["1842"])
    assert (second["question"], second["answers"]) == ("Warum?", [])


@pytest.mark.parametrize(
    "row",
    [
        {"question_id": 81, "category": "writing", "turns": ["Write a poem.", "Shorten it."]},
        {"prompt_id": 81, "category": "writing", "prompt": ["Write a poem.", "Shorten it."], "reference": []},
    ],
    ids=["authors", "hub"],
)
def test_mt_bench_has_two_turns(tmp_path: Path, row: dict[str, Any]) -> None:
    [found] = read("mt_bench", write(tmp_path / "question.jsonl", [row]))
    assert found["id"] == "81"
    assert [turn["content"] for turn in found["turns"]] == ["Write a poem.", "Shorten it."]
    assert found["prompt"] == ["Write a poem.", "Shorten it."]


def test_flores_joins_two_languages(tmp_path: Path) -> None:
    def side(code: str, *texts: str) -> None:
        rows = [{"id": i, "iso_639_3": code[:3], "text": text, "domain": "wikinews"} for i, text in enumerate(texts)]
        write(tmp_path / "devtest" / f"{code}.jsonl", rows)
        write(tmp_path / "dev" / f"{code}.jsonl", [{"id": 9, "text": "not this", "domain": "x"}])

    side("eng_Latn", "Good morning.", "Good night.")
    side("deu_Latn", "Guten Morgen.", "Gute Nacht.")
    rows = read("flores_plus.en-de", tmp_path)
    assert [(row["id"], row["source"], row["target"]) for row in rows] == [
        (0, "Good morning.", "Guten Morgen."),
        (1, "Good night.", "Gute Nacht."),
    ]
    side("deu_Latn", "Guten Morgen.")
    with pytest.raises(InputError, match="one side has no more"):
        read("flores_plus.en-de", tmp_path)


def test_what_the_authors_mark_as_bad_is_left_out(tmp_path: Path) -> None:
    rows = [{"is_bad_source": bad, "source": "a", "target": "b", "domain": "news"} for bad in (True, False)]
    assert len(read("wmt24.en-de", write(tmp_path / "en-de_DE.jsonl", rows))) == 1
    assert len(read("wikitext2", write(tmp_path / "test.jsonl", [{"text": ""}, {"text": " = Port = "}]))) == 1


def test_a_folder_gives_the_split_that_is_tested(tmp_path: Path) -> None:
    for split in ("train", "validation", "test"):
        write(tmp_path / f"{split}-00000-of-00001.jsonl", [{"id": split, "document": "a", "summary": "b"}])
    assert [row["id"] for row in read("xsum", tmp_path)] == ["test"]


def test_parquet_as_the_hub_stores_it(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs the extra: pip install 'nlptasks[parquet]'")
    from pyarrow import parquet

    (tmp_path / "de-en").mkdir()
    parquet.write_table(pyarrow.Table.from_pylist([PAIR]), tmp_path / "de-en" / "test-00000-of-00001.parquet")
    [row] = read("wmt16.de-en", tmp_path)
    assert row["source"] == "Guten Morgen."


def test_another_form_is_one_line(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", [{"text": "a"}])
    with pytest.raises(InputError, match=r"published form of xsum: no column 'id'; there are: text"):
        read("xsum", path)


def test_names_are_found_or_explained(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="cnn_dailymail"):
        Dataset.named("cnn_dalymail", "summarization")
    with pytest.raises(UsageError, match="nlptasks eval question-answering"):
        Dataset.named("squad", "summarization")
    with pytest.raises(InputError, match="No such file"):
        list(Dataset.named("none.jsonl", "summarization").rows("document"))


@pytest.mark.parametrize(
    ("name", "words"), [("xsum", "EdinburghNLP/xsum cannot be loaded"), ("wmt21.en-de", "The Hub holds no")]
)
def test_without_a_network_the_way_out_is_named(name: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    task = registry().load("benchmark", name).task
    with pytest.raises(InputError) as caught:
        list(Dataset.named(name, task).rows("x"))
    assert words in str(caught.value)
    assert f"--data {name}=PATH" in str(caught.value)
    assert "\n" not in str(caught.value)
