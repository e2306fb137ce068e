"""Calls as the documentation of transformers 4 shows them, on real models."""

from __future__ import annotations

import base64
import io
import logging
import math
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import islice, repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from nlptasks import (
    Backend,
    Completion,
    ConfigError,
    InputError,
    ModelError,
    Request,
    SampleError,
    UnknownNameError,
    UnsupportedError,
    UsageError,
    pipeline,
)
from nlptasks.backends.base import warn_once
from nlptasks.backends.hf.quiet import quiet

Tiny = Callable[[str], Path]

ARTICLE = "The weather is fine today, and we are going for a walk in the park."
CONTEXT = "Ada Lovelace wrote the first program in London in 1843."
QUESTION = "Who wrote the first program?"


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("NLPTASKS_MODEL", raising=False)
    warn_once.cache_clear()


@pytest.fixture(scope="session")
def lively(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Like ``tiny``, but what the model writes depends on what it reads."""
    import torch
    from transformers import AutoModelForImageTextToText, AutoModelForSeq2SeqLM

    @cache
    def build(family: str) -> Path:
        folder = tmp_path_factory.mktemp("lively") / family
        shutil.copytree(tiny(family), folder)
        kind: Any = AutoModelForImageTextToText if family == "llava" else AutoModelForSeq2SeqLM
        with quiet(), torch.random.fork_rng([]), torch.no_grad():
            model = kind.from_pretrained(folder)
            torch.manual_seed(1)
            for weights in model.parameters():
                if weights.dim() > 1:
                    weights.normal_(0, 0.2)
            model.save_pretrained(folder)
        return folder

    return build


class Writer(Backend):
    """Writes a fixed answer, whatever is asked, and keeps the requests."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.requests: list[Request] = []

    def complete(self, requests: Sequence[Request]) -> list[Completion]:
        self.requests += requests
        return [Completion(self.text) for _ in requests]


def generated(folder: Path, text: str, **settings: Any) -> list[str]:
    """Return what transformers' own ``generate`` writes, with seed 42 where it samples."""
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, set_seed

    with quiet():
        model, tokenizer = AutoModelForSeq2SeqLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
        inputs = dict(tokenizer(text, return_tensors="pt", truncation=True))
        inputs.pop("token_type_ids", None)
        set_seed(42)
        return list(tokenizer.batch_decode(model.generate(**inputs, **settings), skip_special_tokens=True))


def generation_config(**settings: Any) -> Any:
    import transformers

    kind: Any = transformers.GenerationConfig
    return kind(**settings)


TEXT_PIPELINES = [
    ("summarization", "t5", "summary_text"),
    ("translation_en_to_de", "marian", "translation_text"),
    ("text2text-generation", "t5", "generated_text"),
]


@pytest.mark.parametrize(("task", "family", "key"), TEXT_PIPELINES)
class TestText:
    def test_a_text_gives_a_list_of_one_dict(self, lively: Tiny, task: str, family: str, key: str) -> None:
        pipe = pipeline(task, model=str(lively(family)))
        [wanted] = generated(lively(family), ARTICLE, max_length=20, min_length=5, num_beams=4)
        assert pipe(ARTICLE, min_length=5, max_length=20) == [{key: wanted}]

    def test_a_list_gives_a_flat_list_in_order(self, lively: Tiny, task: str, family: str, key: str) -> None:
        pipe = pipeline(task, model=str(lively(family)), max_length=12)
        texts = [ARTICLE, "Who wrote the letter?", ARTICLE[:20]]
        results = pipe(texts, batch_size=2)
        assert results == [pipe(text)[0] for text in texts]
        assert len({result[key] for result in results}) == 3
        assert pipe([ARTICLE]) == pipe(ARTICLE)
        assert pipe([]) == []

    def test_a_stream_gives_an_iterator_of_lists(self, lively: Tiny, task: str, family: str, key: str) -> None:
        from transformers.pipelines.pt_utils import KeyDataset

        pipe = pipeline(task, model=str(lively(family)), max_new_tokens=6)
        rows: Any = [{"text": ARTICLE}, {"text": "Who wrote the letter?"}]
        results = pipe(row["text"] for row in rows)
        assert iter(results) is results
        assert list(results) == [pipe(row["text"]) for row in rows]
        assert list(pipe(KeyDataset(rows, "text"), batch_size=8)) == [pipe(row["text"]) for row in rows]

    def test_several_sequences_give_a_list_for_each_text(self, lively: Tiny, task: str, family: str, key: str) -> None:
        pipe = pipeline(task, model=str(lively(family)))
        wanted = generated(lively(family), ARTICLE, max_new_tokens=8, num_beams=4, num_return_sequences=3)
        dicts = [{key: text} for text in wanted]
        assert pipe(ARTICLE, num_return_sequences=3, max_new_tokens=8) == dicts
        assert pipe([ARTICLE, ARTICLE], num_return_sequences=3, max_new_tokens=8) == [dicts, dicts]

    def test_generate_arguments_reach_generate(self, lively: Tiny, task: str, family: str, key: str) -> None:
        from transformers import set_seed

        pipe = pipeline(task, model=str(lively(family)))
        settings: dict[str, Any] = {"max_new_tokens": 8, "num_beams": 2, "no_repeat_ngram_size": 1}
        published = generation_config(**settings)
        [wanted] = generated(lively(family), ARTICLE, **settings)
        assert pipe(ARTICLE, do_sample=False, temperature=0.5, **settings) == [{key: wanted}]
        assert pipe(ARTICLE, generation_config=published) == [{key: wanted}]
        sampled = {"do_sample": True, "temperature": 0.9, "top_k": 20, "num_beams": 1, "max_new_tokens": 8}
        [wanted] = generated(lively(family), ARTICLE, **sampled)
        pipe(ARTICLE, max_length=3)  # loading draws random numbers, too
        set_seed(42)
        assert pipe(ARTICLE, **sampled) == [{key: wanted}]

    def test_truncation_reads_what_fits(self, lively: Tiny, task: str, family: str, key: str) -> None:
        pipe = pipeline(task, model=str(lively(family)))
        with pytest.raises(SampleError, match=r"the model reads (128|512)"):
            pipe(ARTICLE * 20, max_length=10)
        [wanted] = generated(lively(family), ARTICLE * 20, max_length=10, num_beams=4)
        assert pipe(ARTICLE * 20, max_length=10, truncation=True) == [{key: wanted}]
        assert pipe([ARTICLE * 20], max_length=10, truncation="longest_first") == [{key: wanted}]

    def test_other_harmless_arguments_change_nothing(self, lively: Tiny, task: str, family: str, key: str) -> None:
        pipe = pipeline(task, model=str(lively(family)), framework="pt", use_fast=False, num_workers=1, max_length=8)
        plain = pipe(ARTICLE)
        assert pipe(ARTICLE, return_text=True, return_tensors=False, padding=True) == plain
        assert isinstance(pipe(ARTICLE, clean_up_tokenization_spaces=True)[0][key], str)

    def test_what_cannot_be_honoured_is_refused(self, lively: Tiny, task: str, family: str, key: str) -> None:
        pipe = pipeline(task, model=str(lively(family)))
        with pytest.raises(UnsupportedError, match="return_tensors"):
            pipe(ARTICLE, return_tensors=True)
        with pytest.raises(UnsupportedError, match=r"logits_processor= takes plain values here, not object"):
            pipe(ARTICLE, logits_processor=object())
        with pytest.raises(SampleError, match="Unknown generation option 'max_lenght'"):
            pipe(ARTICLE, max_lenght=8)
        with pytest.raises(InputError, match="takes texts, not int"):
            pipe([ARTICLE, 3])


def test_a_stream_may_have_no_end(lively: Tiny) -> None:
    pipe = pipeline("summarization", model=str(lively("t5")), max_length=5)
    assert list(islice(pipe(repeat(ARTICLE)), 3)) == [pipe(ARTICLE)] * 3


def test_a_stop_text_ends_the_answer(lively: Tiny) -> None:
    pipe = pipeline("translation", model=str(lively("marian")), max_length=12, num_beams=1)
    whole = pipe(ARTICLE)[0]["translation_text"]
    stop = whole[3:6]
    expected = [{"translation_text": whole[: whole.index(stop)]}]
    published = generation_config(stop_strings=stop)
    assert pipe(ARTICLE, stop_sequence=stop) == expected
    assert pipe(ARTICLE, stop_strings=[stop, "#"]) == expected
    assert pipe(ARTICLE, generation_config=published) == expected


def test_cleaning_up_spaces_is_that_of_the_tokenizer(lively: Tiny) -> None:
    pipe = pipeline("text2text-generation", model=str(lively("t5")))
    assert "Fine ." not in pipe.tokenizer.clean_up_tokenization("Fine .")
    plain, clean = (pipe(ARTICLE, max_length=20, clean_up_tokenization_spaces=is_clean) for is_clean in (False, True))
    assert clean == [{"generated_text": pipe.tokenizer.clean_up_tokenization(plain[0]["generated_text"])}]


def saved(lively: Tiny, folder: Path, **changes: Any) -> Path:
    """Save a T5 whose config says more."""
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    model = AutoModelForSeq2SeqLM.from_pretrained(lively("t5"))
    model.generation_config.update(**changes.pop("generation", {}))
    model.config.update(changes)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(lively("t5")).save_pretrained(folder)
    return folder


def test_the_checkpoint_decides_about_prefix_and_generation(lively: Tiny, tmp_path: Path) -> None:
    of_tasks = {
        "summarization": {"prefix": "summarize: ", "max_length": 9, "num_beams": 3},
        "translation_en_to_de": {"prefix": "translate English to German: ", "max_length": 7},
    }
    generation = {"num_beams": 2, "max_length": 11}
    folder = saved(lively, tmp_path / "t5", task_specific_params=of_tasks, generation=generation)

    [wanted] = generated(folder, "summarize: " + ARTICLE, max_length=9, num_beams=3)
    assert pipeline("summarization", model=str(folder))(ARTICLE) == [{"summary_text": wanted}]
    [wanted] = generated(folder, "translate English to German: " + ARTICLE, max_length=7, num_beams=2)
    assert pipeline("translation_en_to_de", model=str(folder))(ARTICLE) == [{"translation_text": wanted}]
    [wanted] = generated(folder, "shorten: " + ARTICLE, max_length=9, num_beams=3)
    assert pipeline("summarization", model=str(folder), prefix="shorten: ")(ARTICLE) == [{"summary_text": wanted}]
    # Without a prefix of its own the text goes to the model as it is, which may begin with one.
    text = "translate English to French: " + ARTICLE
    [wanted] = generated(folder, text, max_length=11, num_beams=2)
    assert pipeline("translation_xx_to_yy", model=str(folder))(text) == [{"translation_text": wanted}]
    assert pipeline("text2text-generation", model=str(folder))(text) == [{"generated_text": wanted}]


def test_languages_are_given_when_made_when_called_or_in_the_name(lively: Tiny) -> None:
    from transformers import AutoTokenizer

    folder = str(lively("nllb"))
    made = pipeline("translation", model=folder, src_lang="eng_Latn", tgt_lang="deu_Latn", max_length=10)
    called = pipeline("translation", model=folder, max_length=10)
    named = pipeline("translation_en_to_de", model=folder, max_length=10)
    german = AutoTokenizer.from_pretrained(folder).convert_tokens_to_ids("deu_Latn")
    [wanted] = generated(Path(folder), ARTICLE, forced_bos_token_id=german, max_length=10, num_beams=4)
    assert made(ARTICLE) == [{"translation_text": wanted}]
    assert called(ARTICLE, src_lang="eng_Latn", tgt_lang="deu_Latn") == made(ARTICLE)
    assert named(ARTICLE) == made(ARTICLE)
    assert made(ARTICLE, tgt_lang="fra_Latn") != made(ARTICLE)
    with pytest.raises(SampleError, match="no language 'spa_Latn'"):
        made(ARTICLE, tgt_lang="spa_Latn")
    with pytest.raises(SampleError, match="must be told the source_lang"):
        called(ARTICLE)


def test_a_model_of_one_pair_needs_no_languages(lively: Tiny) -> None:
    named = pipeline("translation_en_to_de", model=str(lively("marian")), max_length=9)
    assert pipeline("translation", model=str(lively("marian")), max_length=9)(ARTICLE) == named(ARTICLE)
    assert pipeline("translation_XX_to_YY", model=str(lively("marian")), max_length=9)(ARTICLE) == named(ARTICLE)
    with pytest.raises(SampleError, match="translates en to de only"):
        pipeline("translation_fr_to_de", model=str(lively("marian")))(ARTICLE)


def is_answer(answer: Any, context: str = CONTEXT) -> bool:
    return (
        list(answer) == ["score", "start", "end", "answer"]
        and [type(value) for value in answer.values()] == [float, int, int, str]
        and context[answer["start"] : answer["end"]] == answer["answer"] != ""
        and 0 < answer["score"] <= 1
    )


def same(some: list[dict[str, Any]], others: list[dict[str, Any]]) -> bool:
    """Compare answers; a batch changes the last digits of a score."""
    return some == [{**other, "score": pytest.approx(other["score"])} for other in others]


class TestQuestions:
    @pytest.fixture
    def pipe(self, tiny: Tiny) -> Any:
        return pipeline("question-answering", model=str(tiny("bert-qa")), tokenizer=str(tiny("bert-qa")))

    def test_every_form_of_one_question_gives_the_same_dict(self, pipe: Any) -> None:
        answer = pipe(question=QUESTION, context=CONTEXT)
        assert is_answer(answer)
        example = {"question": QUESTION, "context": CONTEXT}
        assert pipe(example) == answer
        assert pipe([example]) == answer
        assert pipe(data=example) == pipe(X=[example]) == answer
        assert pipe(QUESTION, CONTEXT) == answer
        assert pipe(SimpleNamespace(question_text=QUESTION, context_text=CONTEXT)) == answer
        assert pipe(question=[QUESTION], context=CONTEXT) == answer

    def test_several_questions_give_a_list(self, pipe: Any) -> None:
        questions = [QUESTION, "Where?", "When did she write it?"]
        answers = pipe(question=questions, context=CONTEXT)
        assert same(answers, [pipe(question=question, context=CONTEXT) for question in questions])
        assert same(pipe(question=questions, context=[CONTEXT] * 3, batch_size=8), answers)
        assert same(pipe([{"question": question, "context": CONTEXT} for question in questions]), answers)
        streamed = pipe({"question": question, "context": CONTEXT} for question in questions)
        assert iter(streamed) is streamed
        assert same(list(streamed), answers)

    def test_top_k_gives_a_list_the_best_first(self, pipe: Any) -> None:
        answers = pipe(question=QUESTION, context=CONTEXT, top_k=3)
        assert len(answers) == 3
        assert all(map(is_answer, answers))
        assert [answer["score"] for answer in answers] == sorted((a["score"] for a in answers), reverse=True)
        assert same([answers[0]], [pipe(question=QUESTION, context=CONTEXT)])
        assert pipe(question=QUESTION, context=CONTEXT, topk=3) == answers
        assert pipe(question=[QUESTION, QUESTION], context=CONTEXT, top_k=3) == [answers, answers]

    def test_a_pipeline_made_with_top_k_keeps_to_it(self, tiny: Tiny) -> None:
        pipe = pipeline("question-answering", model=str(tiny("bert-qa")), top_k=2)
        assert len(pipe(question=QUESTION, context=CONTEXT)) == 2
        assert is_answer(pipe(question=QUESTION, context=CONTEXT, top_k=1))

    def test_no_answer_is_an_answer_only_where_it_is_allowed(self, pipe: Any) -> None:
        many = {"question": QUESTION, "context": CONTEXT, "top_k": 500}
        assert all(map(is_answer, pipe(**many)))
        [nothing] = [a for a in pipe(**many, handle_impossible_answer=True) if not a["answer"]]
        assert nothing == {"score": nothing["score"], "start": 0, "end": 0, "answer": ""}

    def test_long_contexts_and_their_settings(self, pipe: Any) -> None:
        context = f"{ARTICLE} " * 20 + CONTEXT
        settings = {"doc_stride": 16, "max_seq_len": 64, "max_question_len": 16, "max_answer_len": 4, "top_k": 5}
        answers = pipe(question=QUESTION, context=context, align_to_words=False, padding="longest", **settings)
        assert all(is_answer(answer, context) for answer in answers)
        assert all(is_answer(a, context) for a in pipe(question=QUESTION, context=context, top_k=5))

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"question": QUESTION}, "Give a question and a context"),
            ({"question": "", "context": CONTEXT}, "The question of .* is missing or empty"),
            ({"data": {"question": QUESTION, "text": CONTEXT}}, "The context of .* is missing or empty"),
            ({"question": [QUESTION, "Where?"], "context": [CONTEXT]}, "as many contexts as questions"),
        ],
    )
    def test_wrong_input_is_told(self, pipe: Any, arguments: dict[str, Any], message: str) -> None:
        with pytest.raises(InputError, match=message):
            pipe(**arguments)

    def test_top_k_must_be_one_at_least(self, pipe: Any) -> None:
        with pytest.raises(ConfigError, match="top_k must be at least 1"):
            pipe(question=QUESTION, context=CONTEXT, top_k=-1)

    def test_a_model_that_writes_its_answers_gives_the_same_keys(self, caplog: pytest.LogCaptureFixture) -> None:
        backend = Writer("in London")
        pipe = pipeline("question-answering", model=backend)
        with caplog.at_level(logging.WARNING, "nlptasks"):
            answer = pipe(question="Where?", context=CONTEXT, max_answer_len=3, max_length=30)
        assert math.isnan(answer.pop("score"))
        assert answer == {"start": CONTEXT.index("in London"), "end": CONTEXT.index(" in 1843"), "answer": "in London"}
        assert "max_answer_len has no effect" in caplog.text
        assert backend.requests[0].config.max_new_tokens == 30
        backend.text = "unanswerable"
        answer = pipe(question="Why?", context=CONTEXT)
        assert (answer["start"], answer["end"], answer["answer"]) == (0, 0, "")


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    return Image.new("RGB", (40, 30), "red")


@pytest.fixture(scope="module")
def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def url(png: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/red.png" else 404)
            self.end_headers()
            self.wfile.write(png)

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class TestPictures:
    @pytest.fixture
    def pipe(self, lively: Tiny) -> Any:
        return pipeline("visual-question-answering", model=str(lively("llava")), max_new_tokens=4)

    def test_every_form_of_one_picture_gives_the_same_list(
        self, pipe: Any, picture: Image.Image, png: bytes, url: str
    ) -> None:
        Path("red.png").write_bytes(png)
        answers = pipe(image=picture, question="What color?")
        assert [list(answer) for answer in answers] == [["answer"]]
        assert isinstance(answers[0]["answer"], str)
        data = "data:image/png;base64," + base64.b64encode(png).decode()
        for image in ("red.png", Path("red.png"), str(Path("red.png").resolve()), png, data, f"{url}/red.png"):
            assert pipe(image=image, question="What color?", top_k=1) == answers
            assert pipe(image, "What color?") == answers
        assert pipe({"image": picture, "question": "What color?"}) == answers

    def test_several_give_a_list_of_lists(self, pipe: Any, picture: Image.Image) -> None:
        blue = Image.new("RGB", (40, 30), "blue")
        one = {(c, q): pipe(image=i, question=q) for c, i in (("red", picture), ("blue", blue)) for q in ("a?", "b?")}
        rows = [{"image": picture, "question": "a?"}, {"image": blue, "question": "b?"}]
        assert one["red", "a?"] != one["blue", "a?"]
        assert pipe(rows) == [one["red", "a?"], one["blue", "b?"]]
        assert pipe(rows[:1]) == [one["red", "a?"]]
        assert list(pipe(row for row in rows)) == pipe(rows)
        assert pipe(image=[picture, blue], question="a?") == [one["red", "a?"], one["blue", "a?"]]
        assert pipe(image=picture, question=["a?", "b?"]) == [one["red", "a?"], one["red", "b?"]]
        assert pipe(image=[picture, blue], question=["a?", "b?"]) == [
            one[color, question] for question in ("a?", "b?") for color in ("red", "blue")
        ]

    def test_vqa_is_another_name(self, lively: Tiny, pipe: Any, picture: Image.Image) -> None:
        vqa = pipeline("vqa", model=str(lively("llava")), max_new_tokens=4)
        assert vqa(picture, "What color?") == pipe(picture, "What color?")

    def test_several_sequences_are_several_answers(self, pipe: Any, picture: Image.Image) -> None:
        answers = pipe(picture, "What color?", num_beams=3, num_return_sequences=3)
        assert [list(answer) for answer in answers] == [["answer"]] * 3

    def test_a_picture_that_cannot_be_had_is_told(self, pipe: Any, url: str) -> None:
        with pytest.raises(SampleError, match=r"cannot read image 'missing\.png'"):
            pipe("missing.png", "What color?")
        with pytest.raises(InputError, match=r"blue.png cannot be fetched \(.*404.*give a file"):
            pipe(f"{url}/blue.png", "What color?")
        with pytest.raises(InputError, match="Give a picture and a question"):
            pipe("red.png")


class TestModels:
    def test_the_configured_model_is_the_default(self) -> None:
        text = f"{ARTICLE} {CONTEXT} " * 3
        [summary] = pipeline("summarization")(text)
        assert list(summary) == ["summary_text"]
        assert summary["summary_text"] in text
        answer = pipeline("question-answering")(question=QUESTION, context=CONTEXT)
        assert list(answer) == ["score", "start", "end", "answer"]
        assert CONTEXT[answer["start"] : answer["end"]] == answer["answer"]

    def test_a_task_that_the_model_cannot_do_is_refused_at_once(self, tiny: Tiny) -> None:
        with pytest.raises(UnsupportedError, match="not summarization"):
            pipeline("summarization", model=str(tiny("bert-qa")))
        with pytest.raises(UnsupportedError):
            pipeline("text2text-generation", model="embedded")

    def test_names_of_our_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert pipeline("text2text-generation", model="echo")("Hello ") == [{"generated_text": "Hello "}]
        monkeypatch.setenv("NLPTASKS_MODEL", "echo")
        assert pipeline("translation_en_to_de")("Hello") == [{"translation_text": "Hello"}]
        with pytest.raises(UsageError, match="tgt_lang='de'"):
            pipeline("translation")("Hello")

    def test_a_chat_model_takes_the_same_arguments(self, tiny: Tiny) -> None:
        pipe = pipeline("text2text-generation", model=str(tiny("qwen3")), max_length=4)
        results = pipe(["Hello", "Hi"], num_beams=3, num_return_sequences=2, do_sample=False)
        assert [[list(one) for one in each] for each in results] == [[["generated_text"]] * 2] * 2
        assert pipe("Hello", num_beams=3, num_return_sequences=2, max_new_tokens=4) == results[0]
        assert pipe("Hello", num_beams=3, num_return_sequences=2, max_new_tokens=9) != results[0]

    def test_a_folder_wins_over_a_provider(self, lively: Tiny) -> None:
        Path("echo").symlink_to(lively("t5"))
        assert pipeline("text2text-generation", model="echo", max_length=8)(ARTICLE)[0]["generated_text"] != ARTICLE
        assert pipeline("text2text-generation", model="./echo", max_length=8).tokenizer.eos_token == "</s>"
        by_path = pipeline("text2text-generation", model=Path("echo"), max_length=8)
        assert by_path(ARTICLE) == pipeline("text2text-generation", model=f"hf/{lively('t5')}", max_length=8)(ARTICLE)

    def test_anything_else_is_a_hub_id(self) -> None:
        with pytest.raises(ModelError, match="some-owner/some-model"):
            pipeline("summarization", model="some-owner/some-model", model_kwargs={"local_files_only": True})
        with pytest.raises(ModelError, match=r"'\./missing'"):
            pipeline("summarization", model="./missing")

    def test_loaded_objects(self, tiny: Tiny, lively: Tiny) -> None:
        from transformers import AutoModelForQuestionAnswering, AutoModelForSeq2SeqLM, AutoTokenizer

        model, tokenizer = (kind.from_pretrained(lively("t5")) for kind in (AutoModelForSeq2SeqLM, AutoTokenizer))
        before = model.generation_config.to_dict()
        pipe = pipeline("summarization", model=model, tokenizer=tokenizer, device=-1)
        assert pipe(ARTICLE, max_length=9) == pipeline("summarization", str(lively("t5")))(ARTICLE, max_length=9)
        assert pipe.tokenizer is tokenizer
        assert model.generation_config.to_dict() == before
        reader, tokenizer = (
            kind.from_pretrained(tiny("bert-qa")) for kind in (AutoModelForQuestionAnswering, AutoTokenizer)
        )
        assert is_answer(pipeline("question-answering", reader, tokenizer=tokenizer)(QUESTION, CONTEXT))

    @pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft asks for it
    def test_a_loaded_model_keeps_its_adapter(self, lively: Tiny) -> None:
        peft = pytest.importorskip("peft", reason="peft is not installed")
        from transformers import AutoModelForSeq2SeqLM

        model = AutoModelForSeq2SeqLM.from_pretrained(lively("t5"))
        adapted = peft.get_peft_model(model, peft.LoraConfig(target_modules=["q", "v"], init_lora_weights=False))
        inputs = pipeline("summarization", str(lively("t5"))).tokenizer(ARTICLE, return_tensors="pt")
        output = adapted.eval().generate(input_ids=inputs["input_ids"], max_length=9, num_beams=4)
        pipe = pipeline("summarization", model=adapted)
        [wanted] = pipe.tokenizer.batch_decode(output, skip_special_tokens=True)
        assert pipe(ARTICLE, max_length=9) == [{"summary_text": wanted}]
        assert wanted != pipeline("summarization", str(lively("t5")))(ARTICLE, max_length=9)[0]["summary_text"]

    def test_a_tokenizer_from_elsewhere_is_used(self, tiny: Tiny, tmp_path: Path) -> None:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(tiny("t5"))
        tokenizer.add_tokens(["weather"])
        tokenizer.save_pretrained(tmp_path / "other")
        for given in (tokenizer, str(tmp_path / "other")):
            pipe = pipeline("summarization", model=str(tiny("t5")), tokenizer=given)
            assert "weather" in pipe.tokenizer.tokenize(ARTICLE)
        with pytest.raises(UnsupportedError, match="tokenizer of its own"):
            pipeline("summarization", model="echo", tokenizer=tokenizer)
        with pytest.raises(UnsupportedError, match="has its own config"):
            pipeline("summarization", model=str(tiny("t5")), config="somewhere/else")

    def test_loading_arguments_reach_the_backend(self, tiny: Tiny) -> None:
        import torch

        for arguments in (
            {"device": torch.device("cpu"), "torch_dtype": torch.bfloat16},
            {"device": "cpu", "dtype": "bfloat16"},
            {"device_map": {"": "cpu"}, "model_kwargs": {"torch_dtype": "bfloat16"}},
        ):
            pipe = pipeline(
                "summarization", model=str(tiny("t5")), trust_remote_code=False, revision="main", **arguments
            )
            assert (pipe.model.dtype, pipe.model.device) == (torch.bfloat16, torch.device("cpu"))
        with pytest.raises(ConfigError, match="not split over devices"):
            pipeline("summarization", model=str(tiny("t5")), device_map={"encoder": 0, "decoder": 1})
        with pytest.raises(ConfigError, match="dtype"):
            pipeline("summarization", model=str(tiny("t5")), torch_dtype="float8")

    def test_what_has_no_effect_is_warned_of_once(self, tiny: Tiny, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING, "nlptasks"):
            for _ in range(2):
                pipeline("summarization", model="echo", device=0, token="secret", model_kwargs={"load_in_8bit": True})
            pipeline("summarization", model="echo", do_sample=False, length_penalty=2.0)(ARTICLE)
        assert [message.split()[0] for message in caplog.messages] == [
            "load_in_8bit",
            "device",
            "token",
            "length_penalty",
        ]
        assert "secret" not in caplog.text

    def test_the_model_can_name_the_task(self, tiny: Tiny) -> None:
        assert is_answer(pipeline(model=str(tiny("bert-qa")))(QUESTION, CONTEXT))
        assert list(pipeline(model=str(tiny("t5")), max_length=5)(ARTICLE)[0]) == ["generated_text"]
        assert list(pipeline(model=str(tiny("marian")), max_length=5)(ARTICLE)[0]) == ["translation_text"]
        assert pipeline(model=str(tiny("llava"))).task == "visual-question-answering"
        with pytest.raises(UsageError, match="Say what the model is to do"):
            pipeline(model=str(tiny("gpt2")))


@pytest.mark.parametrize(
    ("task", "nearest"),
    [
        ("sumarization", "summarization"),
        ("translation_en_de", "translation"),
        ("question_answering", "question-answering"),
    ],
)
def test_an_unknown_task_names_the_nearest(task: str, nearest: str) -> None:
    with pytest.raises(UnknownNameError, match=f"Did you mean {nearest!r}"):
        pipeline(task)
