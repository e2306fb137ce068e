from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nlptasks.backends.hf import Options, load
from nlptasks.errors import InputError, NLPTasksError, UnsupportedError, UsageError
from nlptasks.explain.explanation import LONGEST, Subject, links
from nlptasks.explain.families import explain
from nlptasks.explain.tokens import group_words
from nlptasks.records import Message, Request
from tests.conftest import Tiny
from tests.explain.conftest import Look, Opened


@pytest.mark.parametrize("family", ["gpt2", "llama", "qwen3"])
def test_a_causal_model_reads_the_bare_text(opened: Opened, look: Look, family: str) -> None:
    text = "今天天气很好 the weather"
    found = look(family, text)
    [part] = found.parts
    assert (found.family, part.name, part.queries, found.text) == ("causal", "self", part.keys, text)
    assert [token.id for token in part.keys] == opened(family).tokenizer(text)["input_ids"]
    assert (len(part.layers), part.heads) == (2, 4)


def test_a_chat_is_what_the_template_makes_of_it(opened: Opened, look: Look) -> None:
    [part] = look("llama", "今天天气很好", chat=True).parts
    ids = opened("llama").tokens(Request((Message("user", "今天天气很好"),)))
    assert [token.id for token in part.keys] == ids
    assert "今天天气很好" in "".join(token.text for token in part.keys)
    assert part.keys[0].special


def test_attention_is_what_transformers_gives_out(opened: Opened, look: Look) -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(opened("llama").source.name, attn_implementation="eager")
    [part] = look("llama", "The weather is fine today.").parts
    import torch

    output = model(torch.tensor([[token.id for token in part.keys]]), output_attentions=True)
    for layer, expected in zip(part.layers, output.attentions, strict=True):
        assert_allclose(layer.weights, expected[0].detach(), atol=1e-6)


def test_a_model_that_was_looked_into_works_as_before(opened: Opened, look: Look) -> None:
    backend = opened("gpt2")
    request = Request((Message("user", "The weather"),))
    [before] = backend.complete([request])
    look("gpt2", "The weather")
    assert backend.model.config._attn_implementation == "eager"
    [after] = backend.complete([request])
    assert after.text == before.text


def test_an_encoder_decoder_is_shown_as_it_writes(opened: Opened, look: Look) -> None:
    found = look("marian", "The weather is fine today.")
    cross, encoder, decoder = found.parts
    assert [part.name for part in found.parts] == ["cross", "encoder", "decoder"]
    assert cross.keys == encoder.keys == encoder.queries
    [answer] = opened("marian").complete([Request((Message("user", "The weather is fine today."),), "translation")])
    assert found.facts == {"target": answer.text}
    start = opened("marian").config.decoder_start_token_id
    assert [token.id for token in decoder.keys] == [start, *(token.id for token in cross.queries[:-1])]


def test_a_target_that_is_given_is_taken(opened: Opened, look: Look) -> None:
    found = look("nllb", "The weather", target="Das Wetter", source_lang="en", target_lang="de")
    assert found.facts == {"target": "Das Wetter"}
    assert [token.text for token in found.parts[0].queries if token.special] == ["deu_Latn", "</s>"]
    assert [token.text for token in found.parts[0].keys if token.special] == ["eng_Latn", "</s>"]


def test_words_are_linked_to_what_they_draw_on(look: Look) -> None:
    cross = look("marian", "The weather.", target="Das Wetter.").parts[0]
    sources = [word for word in group_words(cross.keys) if word.text != "."]
    targets = [word for word in group_words(cross.queries) if word.text != "."]
    weights = np.full((len(cross.queries), len(cross.keys)), 0.01)
    for target, source in zip(targets, reversed(sources), strict=True):
        weights[target.first : target.end, source.first : source.end] = 0.2
    weights[:, [token.position for token in cross.keys if token.special or token.text == "."]] = 0.9
    found = list(links(cross, weights))
    assert [(link.target, link.source) for link in found] == [("Das", "weather"), ("Wetter", "The")]
    assert found[0].weight == pytest.approx(0.2 * (sources[1].end - sources[1].first))


def test_an_extractive_model_shows_where_the_answer_is(opened: Opened, look: Look) -> None:
    text, question = "The weather is fine today.", "How is the weather?"
    found = look("bert-qa", text, question=question)
    assert found.spans is not None
    assert found.facts == {"question": question}
    assert len(found.spans.starts) == len(found.spans.ends) == len(found.parts[0].keys)
    assert sum(found.spans.starts) == pytest.approx(1, abs=1e-5)
    assert found.spans.starts[1] == 0  # of the question
    fields = {"question": question, "context": text}
    [answer] = opened("bert-qa").complete([Request((), "question-answering", fields)])
    assert found.spans.answer == answer.text
    assert found.spans.no_answer == pytest.approx(answer.data["no_answer_score"])
    assert found.spans.score == pytest.approx(answer.data["score"])


@pytest.mark.parametrize(
    ("family", "text", "more", "kind", "words"),
    [
        ("gpt2", "  ", {}, InputError, "no text to explain"),
        ("gpt2", "a " * 300, {}, InputError, f"explain shows at most {LONGEST}"),
        ("bert-qa", "a " * 200, {"question": "b"}, InputError, "but the model reads 128"),
        ("marian", "a " * 200, {}, InputError, "but the model reads 128"),
        ("marian", "a", {"target": "b " * 200}, InputError, "The target takes"),
        ("gpt2", "half \ud83d", {}, InputError, "half a surrogate pair"),
        ("gpt2", "a", {"chat": True}, UsageError, "has no chat template: leave out --chat"),
        ("gpt2", "a", {"question": "b"}, UsageError, "--question means nothing to .* which is causal: leave it out"),
        ("marian", "a", {"chat": True}, UsageError, "--chat means nothing to .* which is an encoder-decoder"),
        ("bert-qa", "a", {"question": "b", "target": "c"}, UsageError, "--target means nothing"),
        ("bert-qa", "a", {}, UsageError, "give one with --question"),
        ("marian", "a", {"target_lang": "zh"}, InputError, "translates en to de only"),
        ("nllb", "a", {}, InputError, "must be told the source_lang"),
        ("llava", "a", {}, UnsupportedError, "cannot be looked into"),
    ],
)
def test_what_cannot_be_shown_is_one_line(
    look: Look, family: str, text: str, more: dict[str, Any], kind: type[NLPTasksError], words: str
) -> None:
    with pytest.raises(kind, match=words) as raised:
        look(family, text, **more)
    assert "\n" not in str(raised.value)


def tokenized(kind: Any, config: Any, tiny: Tiny, folder: Path) -> Path:
    """Save a random model of ``kind`` with the tokenizer of the tiny GPT-2."""
    from transformers import AutoTokenizer

    from nlptasks.backends.hf.quiet import quiet

    with quiet():
        kind(config).save_pretrained(folder)
        AutoTokenizer.from_pretrained(tiny("gpt2")).save_pretrained(folder)
    return folder


def test_an_architecture_that_cannot_be_watched_still_shows_its_weights(tiny: Tiny, tmp_path: Path) -> None:
    from transformers import BloomConfig, BloomForCausalLM

    config = BloomConfig(vocab_size=600, hidden_size=32, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0)
    folder = tokenized(BloomForCausalLM, config, tiny, tmp_path / "bloom")
    with load(str(folder), Options(device="cpu", attention="eager")) as backend:
        [part] = explain(backend, Subject("The weather is fine")).parts  # type: ignore[arg-type]
    assert [layer.vectors for layer in part.layers] == [None, None]
    assert_allclose(part.layers[0].weights.sum(-1), 1, atol=1e-5)


def test_a_model_without_attention_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    from transformers import MambaConfig, MambaForCausalLM

    config = MambaConfig(vocab_size=600, hidden_size=32, num_hidden_layers=1, state_size=4)
    folder = tokenized(MambaForCausalLM, config, tiny, tmp_path / "mamba")
    backend = load(str(folder), Options(device="cpu", attention="eager"))
    with pytest.raises(UnsupportedError, match="works without attention"):
        explain(backend, Subject("The weather is fine"))  # type: ignore[arg-type]
