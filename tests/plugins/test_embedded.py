"""The embedded backend: what it picks, what it refuses, and how it stands beside taking the first sentences."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nlptasks
from nlptasks import Backend, Completion, Failure, GenerationConfig, Request
from nlptasks.backends.factory import BackendFactory
from nlptasks.errors import ModelError
from nlptasks.selection import Document, Shape, summarize
from nlptasks.selection.terms import terms
from nlptasks.text import sentences, words
from nlptasks_embedded.backend import Embedded, load
from nlptasks_embedded.parts import Parts
from nlptasks_embedded.reader import read
from nlptasks_embedded.summarizer import scores
from tests.support import DATA

BENCH = DATA / "bench"
PARTS = Parts()

EN = (
    "The town has put its first electric ferry into service. Passengers like the quiet ferry. "
    "The town chose an electric ferry because the old ferry was loud and dirty. "
    "Somebody sold ice cream nearby. The electric ferry of the town carries 180 passengers."
)
DE = (
    "Die Stadt hat ihre erste elektrische Fähre in Betrieb genommen. Die Fahrgäste mögen die leise Fähre. "
    "Die Stadt wählte eine elektrische Fähre, weil die alte Fähre laut und schmutzig war. "
    "Jemand verkaufte daneben Eis. Die elektrische Fähre der Stadt fasst 180 Fahrgäste."
)
ZH = (
    "镇上的第一艘电动渡轮已投入使用。乘客喜欢安静的电动渡轮。"
    "镇议会选择电动渡轮，是因为旧的柴油渡轮又吵又脏。有人在旁边卖冰淇淋。镇上的电动渡轮可载一百八十名乘客。"
)
JA = "町は最初の電動フェリーを導入した。乗客は静かな電動フェリーを気に入っている。誰かがアイスを売っていた。"
RU = "Город запустил первый электрический паром. Пассажиры любят тихий паром. Кто-то продавал мороженое рядом."
AR = "أطلقت المدينة أول عبارة كهربائية. يحب الركاب العبارة الكهربائية الهادئة. كان أحدهم يبيع المثلجات هناك."
HI = "शहर ने पहली बिजली की नौका चलाई। यात्रियों को शांत बिजली की नौका पसंद है। कोई पास में आइसक्रीम बेच रहा था।"
TH = "เมืองเปิดตัวเรือข้ามฟากไฟฟ้าลำแรก ผู้โดยสารชอบเรือข้ามฟากไฟฟ้าที่เงียบสงบ"
KO = "도시는 첫 번째 전기 여객선을 도입했다. 승객들은 조용한 전기 여객선을 좋아한다. 누군가 옆에서 아이스크림을 팔았다."


def ask(task: str, config: GenerationConfig | None = None, **fields: str) -> Completion | Failure:
    [answer] = load("").complete([Request((), task=task, fields=fields, config=config or GenerationConfig())])
    return answer


def answered(task: str, config: GenerationConfig | None = None, **fields: str) -> Completion:
    answer = ask(task, config, **fields)
    assert isinstance(answer, Completion), answer
    return answer


def translation(text: str, source: str, target: str) -> Request:
    return Request((), task="translation", fields={"text": text, "source_lang": source, "target_lang": target})


# Summaries


def summary_of(text: str, shape: Shape) -> str:
    return summarize(Document.read(text), shape, lambda document: scores(document, PARTS))


@pytest.mark.parametrize("text", [EN, DE, ZH, JA, RU, AR, HI, TH, KO])
def test_a_summary_is_made_of_the_texts_own_sentences_in_their_order(text: str) -> None:
    summary = answered("summarization", text=text, max_sentences="2").text
    picked, original = sentences(summary), sentences(text)
    assert 1 <= len(picked) <= 2
    assert [sentence for sentence in original if sentence in picked] == picked


@pytest.mark.parametrize(("text", "aside"), [(EN, "ice cream"), (DE, "Eis"), (ZH, "冰淇淋")])
def test_an_aside_is_left_out(text: str, aside: str) -> None:
    assert aside in text
    assert aside not in summary_of(text, Shape(sentences=4))


def test_a_sentence_that_repeats_another_is_passed_over() -> None:
    text = EN + " The town chose an electric ferry, because the old ferry was loud and dirty."
    assert summary_of(text, Shape(sentences=6, style="bullets")).count("loud and dirty") == 1


def test_a_summary_for_a_query_is_about_it() -> None:
    assert "ice cream" in answered("summarization", text=EN, max_sentences="1", query="Who sold ice cream?").text


@pytest.mark.parametrize(
    "text", ["One sentence only.", "no stop", "# Title", "…", "😀", "```\nx = 1\n```", "只有一句。"]
)
def test_a_text_of_one_sentence_is_its_own_summary(text: str) -> None:
    assert answered("summarization", text=text).text == text.removeprefix("```\n").removesuffix("\n```")


def test_markup_is_no_sentence() -> None:
    text = (
        "# The electric ferry of the town\n\nThe town has an **electric** ferry, see [its page](http://ferry.org).\n\n"
        "```\nferry = Ferry(electric=True)  # The electric ferry of the town.\n```\n\n"
        "| The town | electric ferry. |\n\nWhat the town likes about the electric ferry\n\n"
        "- The electric ferry of the town carries `180` passengers.\n"
    )
    assert Document.read(text).sentences == [
        "The town has an electric ferry, see its page.",
        "The electric ferry of the town carries 180 passengers.",
    ]


def test_wrapped_lines_are_joined_as_the_script_wants() -> None:
    assert summary_of("The first line goes\non here.", Shape()) == "The first line goes on here."
    wrapped = (
        "镇上的第一艘电动渡轮已经在老港口与北岸之间的短途航\n线上投入使用并且受到大家的欢迎和喜爱以及各方面的支\n持。"
    )
    assert summary_of(wrapped, Shape()) == wrapped.replace("\n", "")


@pytest.mark.parametrize(("text", "size"), [(EN, 16), (EN, 25), (DE, 16), (DE, 30), (ZH, 20), (ZH, 40)])
def test_a_summary_keeps_to_its_words_or_characters(text: str, size: int) -> None:
    summary = answered("summarization", text=text, max_words=str(size)).text
    length = len(words(summary)) if text == ZH else len(summary.split())
    assert size / 3 < length <= size
    assert "…" not in summary


def test_the_best_sentence_is_cut_where_no_good_one_is_short_enough() -> None:
    assert answered("summarization", text=EN, max_words="4").text == "The town has put…"
    assert answered("summarization", text=ZH, max_words="6").text == "镇上的第一艘…"


def test_max_new_tokens_bounds_a_summary_at_four_bytes_each() -> None:
    summary = answered("summarization", GenerationConfig(max_new_tokens=15), text=EN).text
    assert len(summary) <= 60
    assert summary in EN


def test_styles() -> None:
    bullets = answered("summarization", text=EN, style="bullets", max_sentences="2").text.splitlines()
    assert len(bullets) == 2
    assert all(line.startswith("- ") and line[2:] in EN for line in bullets)
    headline = answered("summarization", text=EN, style="headline", max_sentences="1", max_words="12").text
    assert headline == "The town has put its first electric ferry into service"


@settings(deadline=None)
@given(st.text(), st.one_of(st.none(), st.integers(1, 9)), st.sampled_from(["paragraph", "bullets", "headline"]))
def test_any_text_has_a_summary_in_its_bounds(text: str, size: int | None, style: str) -> None:
    summary = summary_of(text, Shape(sentences=2, words=size, style=style))
    assert len(sentences(summary)) <= 2 + len(sentences(text)) * (size is None)
    assert set(summary) <= set(text) | set("- …\n")


# Answers


MARKED = [
    (EN, "How many passengers does the electric ferry carry?", "180"),
    (EN, "What was wrong with the old ferry?", "loud and dirty"),
    (EN, "What was sold nearby?", "ice cream"),
]
QUESTIONS = [
    (DE, "Wie viele Fahrgäste fasst die Fähre?", "180"),
    (DE, "Warum wählte die Stadt eine elektrische Fähre?", "laut"),
    (ZH, "渡轮可载多少名乘客？", "一百八十"),
    (ZH, "为什么选择电动渡轮？", "又吵又脏"),
    (JA, "誰がアイスを売っていた？", "アイス"),
    (RU, "Кто продавал мороженое?", "мороженое"),
    (AR, "من كان يبيع المثلجات؟", "المثلجات"),
    (HI, "आइसक्रीम कौन बेच रहा था?", "आइसक्रीम"),
    (KO, "누가 아이스크림을 팔았나?", "아이스크림을"),
]


@pytest.mark.parametrize(("context", "question", "part"), MARKED)
def test_an_answer_is_marked_in_english(context: str, question: str, part: str) -> None:
    completion = answered("question-answering", question=question, context=context)
    assert completion.text == part == context[completion.data["start"] : completion.data["end"]]
    assert completion.data["score"] > completion.data["no_answer_score"]


@pytest.mark.parametrize(("context", "question", "part"), QUESTIONS)
def test_an_answer_elsewhere_is_the_sentence_that_supports_it(context: str, question: str, part: str) -> None:
    completion = answered("question-answering", question=question, context=context)
    assert part in completion.text
    assert completion.text in sentences(context)
    assert completion.text == context[completion.data["start"] : completion.data["end"]]
    assert 0.5 < completion.data["score"] <= 1


@pytest.mark.parametrize(
    ("context", "question"),
    [(EN, "What is the capital of France?"), (DE, "Wer schrieb den Faust?"), (ZH, "法国的首都是哪里？"), (EN, "?!")],
)
def test_a_question_about_something_else_has_no_answer(context: str, question: str) -> None:
    completion = answered("question-answering", question=question, context=context)
    assert (completion.text, completion.data["start"], completion.data["end"]) == ("", 0, 0)
    assert completion.data["score"] == completion.data["no_answer_score"] >= 0.5


def test_an_answer_is_given_all_the_same_where_one_must_be() -> None:
    question = "What is the capital of France?"
    completion = answered("question-answering", question=question, context=EN, allow_no_answer="false")
    assert completion.text in EN
    assert completion.text
    assert completion.data["score"] < 0.5 < completion.data["no_answer_score"]


@pytest.mark.parametrize(("context", "question"), [(DE, "Wer schrieb den Faust?"), (ZH, "法国的首都是哪里？")])
def test_elsewhere_a_sentence_is_given_all_the_same(context: str, question: str) -> None:
    completion = answered("question-answering", question=question, context=context, allow_no_answer="false")
    assert completion.text in sentences(context)
    assert completion.data["score"] < 0.5 < completion.data["no_answer_score"]


def test_a_heading_tells_what_its_section_is_about_but_is_no_answer() -> None:
    context = (
        "# Shop\n\nWe sell bees.\n\n## Refund policy\n\nThe money comes back in 30 days.\n\n## Shipping\n\nOn Mondays."
    )
    found = read("What is the refund policy?", context)
    assert context[found.start : found.end] == "The money comes back in 30 days."


@settings(deadline=None)
@given(st.text(), st.text())
def test_any_question_to_any_text_is_answered_from_it(question: str, context: str) -> None:
    found = read(question, context)
    assert 0 <= found.start <= found.end <= len(context)
    assert 0 <= found.score <= 1


# Translations


@pytest.mark.parametrize(
    ("text", "source", "target", "word"),
    [
        ("Thank you.", "en", "de", "Danke"),
        ("Vielen Dank.", "de", "en", "Thank"),
        ("Thank you.", "en", "zh", "谢谢"),
        ("谢谢。", "zh", "en", "Thank"),
        ("Thank you.", "en-GB", "de-AT", "Danke"),
    ],
)
def test_an_everyday_sentence_is_translated(text: str, source: str, target: str, word: str) -> None:
    [answer] = load("").complete([translation(text, source, target)])
    assert isinstance(answer, Completion)
    assert word in answer.text
    assert answer.finish_reason == "stop"


def test_lines_and_paragraphs_stay() -> None:
    translate = nlptasks.task("translation", model="embedded")
    done = translate(source="Thank you.\n\nThank you.\nGood night.", target_lang="de")
    first, second, third, fourth = done.translation.split("\n")
    assert "Danke" in first == third
    assert second == ""
    assert "Nacht" in fourth


# The contract


@pytest.fixture
def backend() -> Backend:
    return BackendFactory("embedded").bare()


def test_it_is_an_ordinary_backend_found_by_name(backend: Backend) -> None:
    assert isinstance(backend, Embedded)
    assert backend.tasks == {"summarization", "question-answering", "translation", "chat"}
    assert backend.limits().context is None
    assert set(backend.identity()) == {"backend", "version", "weights"}


@pytest.mark.parametrize("task", ["text-generation", "visual-question-answering", "poetry"])
def test_what_it_cannot_do_is_refused_with_the_next_step(backend: Backend, task: str) -> None:
    refusal = backend.refusal(task)
    assert refusal is not None
    assert task in refusal
    assert "--model hf/" in refusal
    assert "\n" not in refusal
    failure = ask(task, text="x")
    assert isinstance(failure, Failure)
    assert (failure.type, failure.message) == ("unsupported", refusal)


@pytest.mark.parametrize("task", ["summarization", "question-answering", "translation", "chat"])
def test_what_it_can_do_is_not_refused(backend: Backend, task: str) -> None:
    assert backend.refusal(task) is None


def test_another_model_is_a_folder_of_parts(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"parts\.json"):
        BackendFactory(f"embedded/{tmp_path}").bare()


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (Request((), task="summarization", fields={"text": " "}), "bad_request"),
        (Request((), task="question-answering", fields={"question": "Who?"}), "bad_request"),
        (Request((), task="summarization", fields={"text": EN}, schema={}), "unsupported"),
        (translation("", "en", "de"), "bad_request"),
        (translation("Hi.", "en", ""), "bad_request"),
        (translation("Hi.", "en", "fr"), "unsupported"),
        (Request((), task="summarization", fields={"text": EN}, continuation=""), "unsupported"),
    ],
)
def test_a_bad_request_fails_in_its_own_place(backend: Backend, request_: Request, kind: str) -> None:
    good = Request((), task="summarization", fields={"text": EN})
    first, failure, last = backend.complete([good, request_, good])
    assert isinstance(failure, Failure)
    assert failure.type == kind
    assert isinstance(first, Completion)
    assert isinstance(last, Completion)
    assert first.text == last.text


def test_options_that_change_nothing_are_recorded(caplog: pytest.LogCaptureFixture) -> None:
    config = GenerationConfig(temperature=0.5, seed=1, max_new_tokens=100)
    completion = answered("summarization", config, text=EN, lang="de")
    assert completion.data["ignored"] == ["language", "seed", "temperature"]
    assert "temperature" in caplog.text
    assert "ignored" not in answered("summarization", text=EN, lang="en").data
    reading = answered("question-answering", config, question="Wer verkaufte Eis?", context=DE)
    assert reading.data["ignored"] == ["max_new_tokens", "seed", "temperature"]
    marked = answered("question-answering", config, question="Who sold ice?", context=EN)
    assert marked.data["ignored"] == ["seed", "temperature"]


def test_through_the_tasks() -> None:
    assert nlptasks.task("summarization", model="embedded", max_sentences=1)(EN).summary in EN
    ask_about = nlptasks.task("question-answering", model="embedded")
    answer = ask_about(question=QUESTIONS[0][1], context=DE)
    assert answer.answered
    assert answer.support == answer.answer == DE[answer.start : answer.end]
    answer = ask_about(question=MARKED[0][1], context=EN)
    assert answer.answer == EN[answer.start : answer.end] == "180"


# Beside a baseline, on real data


def rows(name: str) -> Iterator[dict[str, Any]]:
    [path] = (BENCH / name).glob("*.jsonl") if (BENCH / name).is_dir() else [None]
    if path is None:
        pytest.skip(f"no {name} in {BENCH}: set NLPTASKS_TEST_DATA")
    with path.open(encoding="utf-8") as file:
        for line, _ in zip(file, range(100), strict=False):
            yield json.loads(line)


def overlap(text: str, references: list[str]) -> float:
    """Return the best F1 of the terms of ``text`` and a reference's."""
    found = set(terms(text))
    wanted = [set(terms(reference)) for reference in references]
    return max(2 * len(found & each) / max(1, len(found) + len(each)) for each in wanted)


@pytest.mark.parametrize("name", ["scitldr_en", "qmsum_en", "klexikon_de", "vcsum_zh"])
def test_summaries_are_nearer_to_the_references_than_as_many_first_sentences(name: str) -> None:
    ours = lead = 0.0
    for row in rows(name):
        references = row.get("references") or [row["summary"]]
        document = Document.read(row["document"], row.get("query", ""))
        summary = summarize(document, Shape(), lambda document: scores(document, PARTS))
        taken = sum(sentence in summary for sentence in document.sentences)
        ours += overlap(summary, references)
        lead += overlap(" ".join(document.sentences[:taken]), references)
    assert ours > lead


@pytest.mark.parametrize("name", ["squad1_en", "xquad_de", "cmrc2018_zh"])
def test_most_answers_stand_in_the_sentence_that_is_picked(name: str) -> None:
    right = wrong = 0
    for row in rows(name):
        found = read(row["question"], row["context"])
        sentence = row["context"][found.start : found.end]
        held = any(answer in sentence for answer in row["answers"])
        right, wrong = right + held, wrong + (not held)
    assert right > 2 * wrong
