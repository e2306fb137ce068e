from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from nlptasks.backends.hf import Options, load
from nlptasks.backends.hf.packed import WHOLE, pack
from nlptasks.backends.hf.quiet import quiet
from nlptasks.backends.hf.selection import SelectionBackend
from nlptasks.records import Failure, Request
from nlptasks.selection import FEATURES, Document
from nlptasks.testing.tokenizers import SENTENCES
from tests.backends.hf.conftest import Open, ask, completion
from tests.conftest import Tiny

TEXT = "\n".join(SENTENCES[:8])


def summary(text: str = TEXT, **fields: str) -> Request:
    return ask("Summarize.", task="summarization", fields={"text": text, **fields})


@pytest.fixture(scope="module")
def selector(hf: Open) -> Any:
    return hf("selector")


@pytest.fixture(scope="module")
def german_free(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory, hf: Open) -> Any:
    """A selector whose encoder knows English alone, and whose features say: not the first sentences."""
    folder = shutil.copytree(tiny("selector"), tmp_path_factory.mktemp("selector") / "model")
    with load(str(folder), Options()) as backend, torch.no_grad():
        model = backend.model  # type: ignore[attr-defined]
        model.general[FEATURES.index("lead")] = -5
        model.config.languages = ["en"]
        with quiet():
            model.save_pretrained(folder)
    return hf(folder)


def test_a_summary_is_made_of_the_texts_own_sentences(selector: Any) -> None:
    assert isinstance(selector, SelectionBackend)
    found = completion(selector, summary(max_sentences="2", style="bullets"))
    lines = found.text.splitlines()
    assert len(lines) == 2
    assert all(line.removeprefix("- ") in TEXT for line in lines)
    assert found.usage.prompt_tokens == selector.limits().count(summary())


def test_a_batch_scores_as_each_alone(selector: Any) -> None:
    document = Document.read(TEXT)
    together = selector.inputs(document)["embeddings"]
    assert together.shape == (1 + len(document.sentences), 32)
    assert together[0].abs().sum() == 0
    for place, sentence in enumerate(document.sentences):
        alone = selector.inputs(Document("en", [sentence]))["embeddings"][1]
        assert torch.allclose(together[1 + place], alone, atol=1e-5)


def test_a_query_has_an_embedding_of_its_own(selector: Any) -> None:
    with_query = selector.inputs(Document.read(TEXT, SENTENCES[0]))["embeddings"]
    assert torch.allclose(with_query[0], with_query[1], atol=1e-5)
    assert with_query[0].norm() == pytest.approx(1, abs=1e-5)


def test_a_language_that_the_encoder_does_not_know_is_scored_by_its_features(german_free: Any) -> None:
    german = "Die Stadt hat eine Fähre. Die Fähre der Stadt ist neu. Ein Hund bellt am Ufer. Alle mögen die Fähre."
    assert "embeddings" in german_free.inputs(Document.read(TEXT))
    assert "embeddings" not in german_free.inputs(Document.read(german))
    assert completion(german_free, summary(german, max_sentences="1")).text == "Alle mögen die Fähre."


def test_documents_with_and_without_embeddings_are_scored_side_by_side(german_free: Any) -> None:
    model, known, other = german_free.model, Document.read(TEXT), Document.read(TEXT[::-1])
    inputs = german_free.inputs(known)
    features = torch.stack([inputs["features"]] * 2)
    embeddings = torch.stack([inputs["embeddings"], torch.zeros_like(inputs["embeddings"])])
    with torch.no_grad():
        both = model(features, embeddings)["scores"]
        assert torch.allclose(both[0], model(**inputs)["scores"], atol=1e-5)
        assert torch.allclose(both[1], model(inputs["features"])["scores"], atol=1e-5)
    assert len(other.sentences) > 0


def test_padding_changes_neither_scores_nor_loss(selector: Any) -> None:
    inputs = selector.inputs(Document.read(TEXT))
    rows = len(inputs["features"])
    labels = torch.zeros(rows)
    labels[:2] = 0.5
    padded = {
        "features": torch.nn.functional.pad(inputs["features"], (0, 0, 0, 3)),
        "embeddings": torch.nn.functional.pad(inputs["embeddings"], (0, 0, 0, 3)),
        "labels": torch.nn.functional.pad(labels, (0, 3), value=-100),
    }
    with torch.no_grad():
        short = selector.model(**{name: value[None] for name, value in {**inputs, "labels": labels}.items()})
        long = selector.model(**{name: value[None] for name, value in padded.items()})
    assert torch.allclose(short["scores"], long["scores"][:, :rows], atol=1e-5)
    assert short["loss"].item() == pytest.approx(long["loss"].item(), abs=1e-5)
    assert short["loss"].item() > 0


def test_it_loads_from_eight_bit_integers(tiny: Tiny, tmp_path: Path, selector: Any) -> None:
    pack(tiny("selector"), tmp_path / "packed")
    assert not (tmp_path / "packed" / WHOLE).exists()
    with load(str(tmp_path / "packed"), Options()) as backend:
        assert isinstance(backend, SelectionBackend)
        document = Document.read(TEXT)
        assert backend.scores(document) == pytest.approx(selector.scores(document), abs=0.05)


def test_without_an_encoder_it_needs_no_tokenizer(tmp_path: Path) -> None:
    from nlptasks.backends.hf.selector import Selector, SelectorConfig

    with quiet():
        Selector(SelectorConfig()).save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text("utf-8"))["encoder"] is None
    with load(str(tmp_path), Options()) as backend:
        assert completion(backend, summary(max_sentences="1")).text in TEXT


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (summary(" "), "bad_request"),
        (ask("x", task="summarization"), "bad_request"),
        (Request((), "summarization", {"text": "x"}, schema={}), "unsupported"),
        (Request((), "summarization", {"text": "x"}, continuation="y"), "unsupported"),
        (summary("half \ud800"), "bad_request"),
    ],
)
def test_a_bad_request_fails_in_its_own_place(selector: Any, request_: Request, kind: str) -> None:
    first, failure, last = selector.complete([summary(), request_, summary()])
    assert isinstance(failure, Failure)
    assert failure.type == kind
    assert first.text == last.text


def test_other_tasks_are_refused(selector: Any) -> None:
    assert "summarization" in str(selector.refusal("translation"))
    assert selector.refusal("summarization") is None


def test_options_that_change_nothing_are_recorded(selector: Any) -> None:
    request = ask("x", task="summarization", fields={"text": TEXT, "lang": "de"}, temperature=0.5, seed=1)
    assert completion(selector, request).data["ignored"] == ["language", "seed", "temperature"]


@pytest.mark.parametrize("dtype", ["bfloat16", "int8"])
def test_other_number_formats_choose_too(hf: Open, dtype: str) -> None:
    request = ask("x", task="summarization", fields={"text": TEXT, "lang": "en"})
    assert completion(hf("selector", dtype=dtype), request).text


def test_a_text_beyond_any_context_is_read_whole(selector: Any) -> None:
    long = "\n".join(SENTENCES * 20)
    assert selector.limits().context is None
    assert selector.limits().count(summary(long)) > 1000
    assert completion(selector, summary(long, max_sentences="1")).text in long


def test_its_identity_names_its_weights(selector: Any) -> None:
    assert selector.identity()["backend"] == "hf"
    assert selector.identity()["weights"]
