from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from nlptasks.backends.hf import Options, load
from nlptasks.backends.hf.quiet import quiet
from nlptasks.backends.hf.spans import whole_words
from nlptasks.records import Completion, Failure, Request
from nlptasks.testing.tokenizers import SENTENCES
from tests.backends.hf.conftest import Open, ask, completion, loaded
from tests.conftest import Tiny

QUESTIONS = {
    "Who wrote the first program?": ("Ada Lovelace wrote the first program in London in 1843.", "Ada Lovelace"),
    "Wo wohnt die Königin?": ("Die Königin wohnt in einem großen Schloss über dem Fluss.", "großen Schloss"),
    "她在哪里写了程序?": ("她在伦敦写了第一个程序。", "伦敦"),
}
FILLER = [text for text in SENTENCES if text not in {context for context, _ in QUESTIONS.values()}]


def question(text: str, context: str, allow: str | None = None, **extra: Any) -> Request:
    fields = {"question": text, "context": context}
    if allow is not None:
        fields["allow_no_answer"] = allow
    return ask(text, task="question-answering", fields=fields, extra=extra)


@pytest.fixture(scope="module")
def reader(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory, hf: Open) -> Any:
    """A tiny model with weights set by hand: it points at these answers' first and last words, else at none."""
    folder = shutil.copytree(tiny("bert-qa"), tmp_path_factory.mktemp("qa") / "model")
    with load(str(folder), Options()) as backend, torch.no_grad():
        model, tokenizer = loaded(backend), backend.tokenizer  # type: ignore[attr-defined]
        for name, weights in model.named_parameters():
            if ".output.dense." in name or "position_embeddings" in name or "token_type" in name:
                weights.zero_()  # each token sees itself alone
        words = model.bert.embeddings.word_embeddings.weight
        words[:, :3] = 0
        words[tokenizer.cls_token_id, 2] = 8
        for _, answer in QUESTIONS.values():
            first, *_, last = tokenizer(answer, add_special_tokens=False)["input_ids"]
            words[first, 0] = words[last, 1] = 8
        model.qa_outputs.weight.zero_()
        model.qa_outputs.weight[0, 0] = model.qa_outputs.weight[1, 1] = 4
        model.qa_outputs.weight[:, 2] = 2
        with quiet():
            model.save_pretrained(folder)
    return hf(folder)


@pytest.mark.parametrize("text", QUESTIONS)
def test_the_answer_is_found_with_its_characters(reader: Any, text: str) -> None:
    context, answer = QUESTIONS[text]
    context = f"{FILLER[0]} {context}"
    found = completion(reader, question(text, context))
    assert found.text == answer
    assert context[found.data["start"] : found.data["end"]] == answer
    assert 0 < found.data["no_answer_score"] < found.data["score"] <= 1


@pytest.mark.parametrize("place", [0, 30, 59])
def test_a_long_context_is_read_in_windows(reader: Any, place: int) -> None:
    text = "Who wrote the first program?"
    sentences = (FILLER * 8)[:60]
    sentences[place] = QUESTIONS[text][0]
    context = "\n".join(sentences)
    assert reader.limits().context is None
    request = question(text, context, doc_stride=48)
    assert reader.limits().count(request) > 5 * 128
    found = completion(reader, request)
    assert found.text == "Ada Lovelace"
    assert context[found.data["start"] : found.data["end"]] == "Ada Lovelace"


def test_no_answer_is_an_answer_unless_it_is_not_allowed(reader: Any) -> None:
    context = " ".join(FILLER[:3])
    none = completion(reader, question("Who wrote the first program?", context))
    assert none.text == ""
    assert (none.data["start"], none.data["end"]) == (0, 0)
    assert none.data["score"] == none.data["no_answer_score"] > 0.5
    for request in (
        question("Who wrote the first program?", context, "false"),
        question("Who wrote the first program?", context, handle_impossible_answer=False),
    ):
        some = completion(reader, request)
        assert some.text
        assert some.text in context
        assert some.data["score"] < 0.5


def test_the_best_answers_come_as_alternatives(reader: Any) -> None:
    text = "Who wrote the first program?"
    found = completion(reader, question(text, QUESTIONS[text][0], top_k=3))
    first, second, third = found.data["alternatives"]
    assert {name: first[name] for name in ("score", "start", "end")} == {
        n: found.data[n] for n in ("score", "start", "end")
    }
    assert first["answer"] == found.text
    assert first["score"] >= second["score"] >= third["score"]
    assert len({(each["start"], each["end"]) for each in found.data["alternatives"]}) == 3


def test_many_questions_share_batches_and_get_the_answers_they_get_alone(reader: Any, hf: Open) -> None:
    requests = [
        question(text, " ".join(FILLER[:n]) + " " + context) for n, (text, (context, _)) in enumerate(QUESTIONS.items())
    ]
    together = reader.complete(requests)
    narrow = hf(Path(reader.source.model), max_batch_tokens=1)
    for request, answer, alone in zip(requests, together, narrow.complete(requests), strict=True):
        assert answer.text == alone.text == completion(reader, request).text
        assert answer.data["score"] == pytest.approx(alone.data["score"], abs=1e-4)


def test_scores_are_those_of_the_formula(reader: Any) -> None:
    """Start and end probabilities over question-free tokens, multiplied."""
    text = "Who wrote the first program?"
    context, answer = QUESTIONS[text]
    encoded = reader.tokenizer(text, context, return_tensors="pt")
    with torch.inference_mode():
        output = reader.model(**encoded)
    allowed = torch.tensor([part == 1 for part in encoded.sequence_ids(0)])
    allowed[0] = True
    start, end = (
        logits[0].masked_fill(~allowed, -1e4).softmax(-1) for logits in (output.start_logits, output.end_logits)
    )
    first, last = (encoded.char_to_token(0, at, sequence_index=1) for at in (0, len(answer) - 1))
    found = completion(reader, question(text, context))
    assert found.data["score"] == pytest.approx(float(start[first] * end[last]), abs=1e-5)
    assert found.data["no_answer_score"] == pytest.approx(float(start[0] * end[0]), abs=1e-5)


def test_an_answer_is_no_longer_than_asked(reader: Any) -> None:
    text = "Wo wohnt die Königin?"
    fields = {"question": text, "context": QUESTIONS[text][0], "allow_no_answer": "false"}
    for request in (
        ask(text, fields=fields, extra={"align_to_words": False, "max_answer_len": 1}),
        ask(text, fields=fields, extra={"align_to_words": False}, max_new_tokens=1),
    ):
        short = completion(reader, request)
        assert len(reader.tokenizer(short.text, add_special_tokens=False)["input_ids"]) == 1
        assert "ignored" not in short.data


def test_a_question_longer_than_the_window_is_cut(reader: Any) -> None:
    text = "Who wrote the first program?"
    found = completion(reader, question(text + " please" * 200, QUESTIONS[text][0], "false", max_question_len=20))
    assert found.text in QUESTIONS[text][0]


def test_options_of_generation_are_warned_of_and_recorded(reader: Any, caplog: pytest.LogCaptureFixture) -> None:
    text = "Who wrote the first program?"
    fields = {"question": text, "context": QUESTIONS[text][0]}
    request = ask(text, fields=fields, temperature=1.0, stop=("x",), num_beams=2)
    for _ in range(2):
        assert completion(reader, request).data["ignored"] == ["num_beams", "stop", "temperature"]
    assert caplog.text.count("temperature") == 1


@pytest.mark.parametrize(
    ("request_", "kind", "says"),
    [
        (question("", "Text."), "bad_request", "question"),
        (question("Who?", "  "), "bad_request", "context"),
        (ask("Who?"), "bad_request", "context"),
        (question("Who?", "Ada.", topk=2), "bad_request", "'topk'"),
        (question("Who?", "Ada.", top_k=0), "bad_request", "top_k"),
        (question("Who wrote it?", "Ada.", max_seq_len=4), "bad_request", "max_seq_len 4"),
    ],
)
def test_what_cannot_be_asked_fails_alone(reader: Any, request_: Request, kind: str, says: str) -> None:
    fine, bad = reader.complete([question("Who?", "Ada."), request_])
    assert isinstance(fine, Completion)
    assert isinstance(bad, Failure)
    assert bad.type == kind
    assert says in bad.message


def test_other_tasks_are_refused_before_weights_load(tiny: Tiny) -> None:
    backend = load(str(tiny("bert-qa")), Options())
    assert "question-answering" in (backend.refusal("summarization") or "")
    assert backend.refusal("question-answering") is None
    assert backend._model is None  # type: ignore[attr-defined]


def test_words_are_whole_where_scripts_write_them_apart() -> None:
    assert whole_words("im Königshaus dort", 4, 8) == (3, 13)
    assert whole_words("在伦敦写了", 1, 3) == (1, 3)
    assert whole_words("в Москве зимой", 3, 5) == (2, 8)
    assert whole_words("abc", 0, 3) == (0, 3)
