"""Published datasets of questions on passages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nlptasks.benchmarks import Benchmark
from nlptasks_question_answering.languages import MLQA, XQUAD

Row = Mapping[str, Any]


def _questions(row: Row) -> Iterator[Row]:
    """Yield every question of an article, as SQuAD's own files nest them; a row of the Hub is one already."""
    if "paragraphs" not in row:
        yield row
        return
    for paragraph in row["paragraphs"]:
        for question in paragraph["qas"]:
            yield {**question, "context": paragraph["context"], "title": row.get("title")}


def _squad_like(name: str, **facts: Any) -> Benchmark:
    columns = {"id": "id", "question": "question", "context": "context", "answers": "answers.text"}
    return Benchmark(
        name=name,
        task="question-answering",
        columns=columns,
        expand=_questions,
        **{"split": "validation", "licence": "CC BY-SA 4.0", **facts},
    )


SQUAD = _squad_like(
    "squad",
    dataset="rajpurkar/squad",
    lang="en",
    citation="Rajpurkar et al. 2016: SQuAD, https://aclanthology.org/D16-1264",
    url="https://rajpurkar.github.io/SQuAD-explorer/",
)

SQUAD_V2 = _squad_like(
    "squad_v2",
    dataset="rajpurkar/squad_v2",
    metrics=("squad_v2",),
    lang="en",
    citation="Rajpurkar et al. 2018: Know What You Don't Know, https://aclanthology.org/P18-2124",
    url="https://rajpurkar.github.io/SQuAD-explorer/",
)

CMRC2018 = _squad_like(
    "cmrc2018",
    dataset="hfl/cmrc2018",
    lang="zh",
    citation="Cui et al. 2019: A Span-Extraction Dataset for Chinese MRC, https://aclanthology.org/D19-1600",
    url="https://github.com/ymcui/cmrc2018",
)

DRCD = _squad_like(
    "drcd",
    dataset="voidful/DRCD",
    split="test",
    lang="zh-Hant",
    licence="CC BY-SA 3.0",
    citation="Shao et al. 2018: DRCD, https://arxiv.org/abs/1806.00920",
    url="https://github.com/DRCKnowledgeTeam/DRCD",
)


def _xquad(lang: str) -> Benchmark:
    return _squad_like(
        f"xquad.{lang}",
        dataset="google/xquad",
        config=f"xquad.{lang}",
        lang=lang,
        citation="Artetxe et al. 2020: On the Cross-lingual Transferability, https://aclanthology.org/2020.acl-main.421",
        url="https://github.com/google-deepmind/xquad",
    )


def _mlqa(lang: str) -> Benchmark:
    return _squad_like(
        f"mlqa.{lang}",
        dataset="facebook/mlqa",
        config=f"mlqa.{lang}.{lang}",
        revision="refs/convert/parquet",
        split="test",
        lang=lang,
        licence="CC BY-SA 3.0",
        citation="Lewis et al. 2020: MLQA, https://aclanthology.org/2020.acl-main.653",
        url="https://github.com/facebookresearch/MLQA",
    )


TRIVIAQA = Benchmark(
    name="triviaqa",
    task="question-answering",
    dataset="mandarjoshi/trivia_qa",
    config="rc.wikipedia",
    split="validation",
    columns={
        "id": "question_id",
        "question": "question",
        "context": "entity_pages.wiki_context",
        "answers": "answer.aliases",
    },
    lang="en",
    licence="not stated; the texts are of Wikipedia (CC BY-SA)",
    citation="Joshi et al. 2017: TriviaQA, https://aclanthology.org/P17-1147",
    url="https://nlp.cs.washington.edu/triviaqa/",
)

BY_LANGUAGE = {
    **{f"xquad_{lang}": _xquad(lang) for lang in XQUAD},
    **{f"mlqa_{lang}": _mlqa(lang) for lang in MLQA},
}


def __getattr__(name: str) -> Benchmark:
    try:
        return BY_LANGUAGE[name]
    except KeyError:
        raise AttributeError(name) from None
