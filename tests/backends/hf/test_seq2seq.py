from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from nlptasks.records import Completion, Failure, Message, Request
from tests.backends.hf.conftest import Open, ask, completion, teach
from tests.conftest import Tiny

TEXTS = ("The weather is fine today.", "Who wrote the letter, and where does she live now?", "A fox.")


def translate(text: str, source: str | None = "en", target: str | None = "de", **config: Any) -> Request:
    fields = {"text": text, "source_lang": source, "target_lang": target}
    known = {name: value for name, value in fields.items() if value is not None}
    return ask(f"Translate: {text}", task="translation", fields=known, **config)


def generate(backend: Any, ids: list[int], **settings: Any) -> list[int]:
    from transformers import AutoModelForSeq2SeqLM

    model = AutoModelForSeq2SeqLM.from_pretrained(backend.source.name)
    output = model.generate(torch.tensor([ids]), do_sample=False, **settings)
    return [int(token) for token in output[0]]


@pytest.mark.parametrize("family", ["marian", "t5", "nllb"])
@pytest.mark.parametrize("beams", [1, 3])
def test_a_batch_answers_as_transformers_does_one_by_one(hf: Open, family: str, beams: int) -> None:
    backend = hf(family)
    requests = [translate(text, max_new_tokens=12, num_beams=beams) for text in TEXTS]
    forced = {"forced_bos_token_id": backend.tokenizer.convert_tokens_to_ids("deu_Latn")} if family == "nllb" else {}
    for request, answer in zip(requests, backend.complete(requests), strict=True):
        expected = generate(backend, backend.tokens(request), max_new_tokens=12, num_beams=beams, **forced)
        assert answer.text == backend.decode(expected)
        *deltas, last = backend.stream(request)
        assert "".join(delta.text for delta in deltas) == last.text == answer.text


def test_sentences_of_like_length_are_translated_together(hf: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = hf("marian", max_batch_tokens=2000)
    texts = [" ".join(["fox"] * (1 + number * 7 % 30)) for number in range(60)]
    requests = [translate(text, num_beams=2, max_new_tokens=40) for text in texts]
    expected = [completion(backend, request).text for request in requests[:6]]
    real, batches = backend.generate, []

    def watched(batch: Any, hooks: Any) -> Any:
        batches.append([len(prompt.ids) for prompt in batch])
        return real(batch, hooks)

    monkeypatch.setattr(backend, "generate", watched)
    assert [answer.text for answer in backend.complete(requests)][:6] == expected
    assert [length for batch in batches for length in batch] == sorted(map(len, map(backend.tokens, requests)))[::-1]
    for batch in batches:  # of two beams, each for a source and twice as much again, or the most that is allowed
        size = 2 * (batch[0] + min(40, 2 * batch[0]))
        assert size * len(batch) <= 2000
        assert size * (len(batch) + 1) > 2000 or batch is batches[-1]


def test_marian_translates_its_own_pair_and_nothing_else(hf: Open) -> None:
    backend = hf("marian")
    assert backend.tokenizer.convert_ids_to_tokens(backend.tokens(translate("fine.")))[-1] == "</s>"
    assert backend.refusal("translation") is None
    assert "translation only" in (backend.refusal("summarization") or "")
    fine, swiss, wrong, reverse = backend.complete(
        [
            translate("fine", max_new_tokens=3),
            translate("fine", target="de-CH", max_new_tokens=3),
            translate("fine", target="zh"),
            translate("gut", "de", "en"),
        ]
    )
    assert isinstance(fine, Completion)
    assert isinstance(swiss, Completion)
    assert wrong.type == reverse.type == "bad_request"
    assert "en to de only" in wrong.message


def test_a_translation_can_be_learned_and_read_back(tiny: Tiny, tmp_path: Path, hf: Open) -> None:
    lessons = [
        (translate("The weather is fine today.", max_new_tokens=40), "Das Wetter ist heute schön."),
        (translate("A small red fox.", max_new_tokens=40), "Die Königin wohnt im Schloss."),
    ]
    backend = hf(teach(tiny("marian"), lessons, tmp_path / "taught"))
    answers = backend.complete([request for request, _ in lessons])
    assert [answer.text for answer in answers] == [expected for _, expected in lessons]
    assert {answer.finish_reason for answer in answers} == {"stop"}


@pytest.mark.parametrize(
    ("source", "target", "codes"),
    [
        ("en", "de", ("eng_Latn", "deu_Latn")),
        ("de-AT", "zh", ("deu_Latn", "zho_Hans")),
        ("zh-TW", "fr-CA", ("zho_Hant", "fra_Latn")),
        ("eng", "zh-Hant", ("eng_Latn", "zho_Hant")),
    ],
)
def test_language_tags_become_the_tokenizers_own_codes(
    hf: Open, source: str, target: str, codes: tuple[str, str]
) -> None:
    backend = hf("nllb")
    request = translate("The weather is fine today.", source, target, max_new_tokens=4)
    ids = backend.tokens(request)
    assert backend.tokenizer.convert_ids_to_tokens(ids[0]) == codes[0]
    settings = backend.prompt(0, request).plan.settings
    assert settings["forced_bos_token_id"] == backend.tokenizer.convert_tokens_to_ids(codes[1])
    [row] = backend.generate([backend.prompt(0, request)], _no_hooks())
    assert backend.tokenizer.convert_ids_to_tokens(row.ids[0]) == codes[1]


def _no_hooks() -> Any:
    from nlptasks.backends.hf.streaming import Hooks

    return Hooks()


def test_one_batch_may_mix_languages(hf: Open) -> None:
    backend = hf("nllb")
    requests = [translate("fine", s, t, max_new_tokens=6) for s, t in (("en", "de"), ("de", "zh"), ("zh", "fr"))]
    assert [a.text for a in backend.complete(requests)] == [completion(backend, r).text for r in requests]


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (translate("fine", "en", "ja"), "deu_Latn, eng_Latn, fra_Latn, zho_Hans, zho_Hant"),
        (translate("fine", "en", "no language"), "BCP-47"),
        (translate("fine", None, "de"), "source_lang"),
        (translate("fine", "en", None), "target_lang"),
    ],
)
def test_a_language_the_model_lacks_fails_alone(hf: Open, request_: Request, says: str) -> None:
    fine, bad = hf("nllb").complete([translate("fine", max_new_tokens=2), request_])
    assert isinstance(fine, Completion)
    assert bad.type == "bad_request"
    assert says in bad.message


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (translate("Fine."), "translate English to German: Fine."),
        (translate("Gut.", "de-CH", "ro"), "translate German to Romanian: Gut."),
        (ask("Summarize!", task="summarization", fields={"text": "Long."}), "summarize: Long."),
        (
            ask("Who?", task="question-answering", fields={"question": "Who?", "context": "Ada."}),
            "question: Who? context: Ada.",
        ),
        (ask("Be brief.", "What is 2+2?"), "What is 2+2?"),
    ],
)
def test_t5_reads_its_own_prefixes(hf: Open, request_: Request, text: str) -> None:
    assert hf("t5").text(request_) == text


def test_prefixes_and_lengths_come_from_the_config_where_it_has_them(tiny: Tiny, tmp_path: Path, hf: Open) -> None:
    import json
    import shutil

    folder = shutil.copytree(tiny("t5"), tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    config["task_specific_params"] = {
        "summarization": {"prefix": "kurz: ", "max_length": 9, "num_beams": 4, "min_length": 2},
        "translation_en_to_de": {"prefix": "auf Deutsch: "},
    }
    (folder / "config.json").write_text(json.dumps(config))
    backend = hf(folder)
    summary = ask("Summarize!", task="summarization", fields={"text": "Long."})
    assert backend.text(summary) == "kurz: Long."
    assert backend.text(translate("Fine.", "en", "de")) == "auf Deutsch: Fine."
    plan = backend.prompt(0, summary).plan
    assert (plan.max_new_tokens, plan.settings["min_new_tokens"], plan.settings["num_beams"]) == (8, 1, 1)


def test_too_long_an_input_fails_alone(hf: Open) -> None:
    for family, context in (("marian", 128), ("t5", 512), ("nllb", 128)):
        backend = hf(family)
        fine, long = backend.complete([translate("fine", max_new_tokens=2), translate("weather " * 200)])
        assert isinstance(fine, Completion)
        assert long.type == "too_long"
        assert str(context) in long.message
        assert backend.limits().context == context


def test_what_needs_a_chat_model_is_refused(hf: Open) -> None:
    [failure] = hf("t5").complete([Request((Message("user", "What?", (b"...",)),))])
    assert isinstance(failure, Failure)
    assert failure.type == "unsupported"
