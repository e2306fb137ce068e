"""Similarity of meaning, with tiny encoders in the layouts that are met in the wild."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nlptasks import ConfigError, ModelError
from nlptasks.metrics.embedding_similarity import EmbeddingSimilarity
from nlptasks.metrics.encoder import Encoder, load
from nlptasks.testing.tokenizers import SENTENCES, word_piece

TEXTS = list(SENTENCES[:6])
Build = Callable[..., Path]


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT without a pooler, as saved from masked language modelling."""
    from transformers import BertConfig, BertModel

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("encoder") / "bert"
    tokenizer = word_piece(model_max_length=64)
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = BertConfig(**size, vocab_size=len(tokenizer), max_position_embeddings=64)
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        BertModel(config, add_pooling_layer=False).eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def build(plain: Path, tmp_path: Path) -> Build:
    """Give the encoder the files of sentence-transformers."""

    def with_modules(pooling: dict[str, Any], *more: str, inside: str = "", **settings: Any) -> Path:
        folder = tmp_path / "st"
        home = folder / inside
        home.mkdir(parents=True)
        for file in plain.iterdir():
            (home / file.name).write_bytes(file.read_bytes())
        kinds = ["Transformer", "Pooling", *more]
        paths = [inside, "1_Pooling", *(f"{at}_{kind}" for at, kind in enumerate(more, start=2))]
        modules = [
            {"idx": at, "name": str(at), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for at, (kind, path) in enumerate(zip(kinds, paths, strict=True))
        ]
        (folder / "modules.json").write_text(json.dumps(modules))
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
        (home / "sentence_bert_config.json").write_text(json.dumps(settings))
        return folder

    return with_modules


def hidden(folder: Path, text: str, **options: Any) -> np.ndarray[Any, Any]:
    """The vectors of a text's tokens, straight from transformers."""
    from transformers import AutoModel, AutoTokenizer

    inputs = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt", truncation=True, **options)
    with torch.inference_mode():
        vectors: np.ndarray[Any, Any] = AutoModel.from_pretrained(folder)(**inputs).last_hidden_state[0].numpy()
    return vectors


def encoder(folder: Path) -> Encoder:
    return load(str(folder), "cpu")


def unit(vector: Any) -> Any:
    return vector / np.linalg.norm(vector)


def score(folder: Path, prediction: str, *references: str) -> float:
    metric = EmbeddingSimilarity(encoder=str(folder), device="cpu")
    [value] = metric.aggregate(metric.statistics([prediction], [references])).values()
    return value


def test_it_is_the_cosine_of_mean_token_vectors(plain: Path) -> None:
    one, two = (unit(hidden(plain, text).mean(0)) for text in TEXTS[:2])
    assert score(plain, TEXTS[0], TEXTS[1]) == pytest.approx(100 * float(one @ two), abs=1e-3)
    assert score(plain, TEXTS[0], TEXTS[0]) == pytest.approx(100)


def test_the_best_reference_counts(plain: Path) -> None:
    each = [score(plain, TEXTS[0], text) for text in TEXTS[1:4]]
    assert score(plain, TEXTS[0], *TEXTS[1:4]) == pytest.approx(max(each), abs=1e-4)
    assert max(each) > min(each) + 0.01


def test_batches_change_nothing(plain: Path) -> None:
    texts = [*TEXTS, TEXTS[0] * 5, "today"]
    whole = encoder(plain).encode(texts, 10_000)
    alone = encoder(plain).encode(texts, 1)
    assert whole == pytest.approx(alone, abs=1e-5)
    assert np.linalg.norm(whole, axis=1) == pytest.approx(1)


@pytest.mark.parametrize(
    ("config", "pool"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, lambda tokens: tokens[0]),
        ({"pooling_mode": "cls"}, lambda tokens: tokens[0]),
        ({"pooling_mode_mean_tokens": True}, lambda tokens: tokens.mean(0)),
        ({"pooling_mode_lasttoken": True}, lambda tokens: tokens[-1]),
    ],
    ids=["cls", "cls-by-name", "mean", "lasttoken"],
)
def test_the_layout_of_sentence_transformers_says_how_to_pool(build: Build, config: Any, pool: Any) -> None:
    folder = build(config, "Normalize")
    vectors = encoder(folder).encode(TEXTS[:3], 10_000)
    expected = [unit(pool(hidden(folder, text))) for text in TEXTS[:3]]
    assert vectors == pytest.approx(np.array(expected), abs=1e-5)


def test_the_layout_says_where_the_model_is_and_how_much_it_reads(build: Build) -> None:
    folder = build({"pooling_mode": "mean"}, inside="0_Transformer", max_seq_length=7)
    [vector] = encoder(folder).encode([TEXTS[0]], 10_000)
    short = hidden(folder / "0_Transformer", TEXTS[0], max_length=7)
    assert len(short) == 7
    assert vector == pytest.approx(unit(short.mean(0)), abs=1e-5)


def test_a_long_text_is_cut_to_what_the_model_reads(plain: Path) -> None:
    assert 0 < score(plain, TEXTS[0] * 50, TEXTS[0]) <= 100


@pytest.mark.parametrize(("prediction", "reference"), [("", "a word"), ("a word", " \n"), ("", "")])
def test_an_empty_text_is_like_nothing(plain: Path, prediction: str, reference: str) -> None:
    assert score(plain, prediction, reference) == 0


@pytest.mark.parametrize("text", ["\ud83d", "🚢", "\x00", "ก็", "\u200b"])
def test_any_text_gives_a_number(plain: Path, text: str) -> None:
    value = score(plain, text, TEXTS[0])
    assert math.isfinite(value)
    assert 0 <= value <= 100.001


def test_it_is_a_metric_of_evaluate_and_its_signature_names_the_weights(plain: Path) -> None:
    metric = EmbeddingSimilarity(encoder=f"hf/{plain}", device="cpu")
    again = pickle.loads(pickle.dumps(metric))
    assert metric.signature == again.signature
    assert metric.signature.startswith("embedding_similarity|v:1|encoder:bert@")
    assert metric.signature.endswith("|pooling:mean")
    rows = again.statistics(TEXTS[:2], [[TEXTS[1]], [TEXTS[1]]])
    assert rows.shape == (2, 1)
    scores = metric.compute(predictions=TEXTS[:2], references=[[TEXTS[1]], [TEXTS[1]]])
    assert scores == {"embedding_similarity": pytest.approx(rows.mean(), abs=1e-4)}


def test_without_an_encoder_it_says_how_to_name_one() -> None:
    with pytest.raises(ConfigError, match="--encoder"):
        EmbeddingSimilarity()


@pytest.mark.parametrize(
    ("predictions", "references", "problem"),
    [(["a"], [], "1 predictions, but references for 0"), (["a"], [[]], "row 1 has no reference"), ([], [], "nothing")],
)
def test_what_cannot_be_scored_is_said_in_one_line(predictions: Any, references: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        EmbeddingSimilarity(encoder="unused").statistics(predictions, references)


def test_an_encoder_that_is_not_there_is_not_downloaded() -> None:
    for name in ("hf/nobody/nothing", "nobody/nothing", "no such folder"):
        with pytest.raises(ModelError, match="download nothing"):
            EmbeddingSimilarity(encoder=name).statistics(["a"], [["b"]])


def test_layouts_and_models_that_are_not_supported_are_refused(build: Build, tiny: Any) -> None:
    with pytest.raises(ModelError, match="layer Dense"):
        load(str(build({"pooling_mode": "mean"}, "Dense")), "cpu")
    with pytest.raises(ModelError, match="an encoder and a decoder"):
        load(str(tiny("t5")), "cpu").encode(["a"], 100)


def test_a_pooling_that_is_not_supported_is_refused(build: Build) -> None:
    with pytest.raises(ModelError, match="pools by weightedmean_tokens"):
        load(str(build({"pooling_mode_weightedmean_tokens": True})), "cpu")
