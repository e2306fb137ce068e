from __future__ import annotations

import json
from pathlib import Path

import pytest

from nlptasks.backends.hf.languages import KIN, SAME, Languages, english_name, nearest
from nlptasks.errors import SampleError
from nlptasks.testing.tokenizers import sentence_pieces


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[str]]:
    model, pieces = sentence_pieces()
    path = tmp_path_factory.mktemp("pieces") / "source.spm"
    path.write_bytes(model)
    return str(path), pieces


def vocabulary(path: Path, *tokens: str) -> str:
    path.write_text(json.dumps({token: index for index, token in enumerate(tokens)}), encoding="utf-8")
    return str(path)


def test_mbart() -> None:
    from transformers import MBartTokenizer

    languages = Languages.of(MBartTokenizer())
    assert len(languages.codes) == 25
    assert [languages.find(tag, SAME) for tag in ("de", "zh-Hans", "en-GB", "ja")] == [
        "de_DE",
        "zh_CN",
        "en_XX",
        "ja_XX",
    ]


def test_m2m100(pieces: tuple[str, list[str]], tmp_path: Path) -> None:
    from transformers import M2M100Tokenizer

    tokens = vocabulary(tmp_path / "vocab.json", "<s>", "<pad>", "</s>", "<unk>", *pieces[1])
    tokenizer = M2M100Tokenizer(tokens, pieces[0])
    languages = Languages.of(tokenizer)
    assert len(languages.codes) == 100
    code = languages.find("de-CH", SAME)
    assert tokenizer.convert_tokens_to_ids(languages.codes[code]) == tokenizer.get_lang_id("de")
    tokenizer.src_lang = code
    assert tokenizer("Hallo")["input_ids"][0] == tokenizer.get_lang_id("de")
    with pytest.raises(SampleError, match="and 60 more"):
        languages.find("tlh", SAME)


@pytest.mark.filterwarnings("ignore:Recommended")
def test_marian_with_many_targets(pieces: tuple[str, list[str]], tmp_path: Path) -> None:
    from transformers import MarianTokenizer

    marks = [">>deu<<", ">>cmn_Hans<<", ">>cmn_Hant<<", ">>pt_BR<<", ">>no-tag-at-all<<"]
    tokens = vocabulary(tmp_path / "vocab.json", "</s>", "<unk>", *pieces[1], *marks, "<pad>")
    tokenizer = MarianTokenizer(pieces[0], pieces[0], tokens)
    languages = Languages.of(tokenizer)
    assert languages.inline
    found = [languages.codes[languages.find(tag, SAME)] for tag in ("de", "zh", "zh-TW", "pt-BR")]
    assert found == marks[:4]
    assert tokenizer.tokenize(">>deu<< The")[0] == ">>deu<<"


def test_a_source_may_be_kin_but_a_target_must_be_the_same() -> None:
    assert nearest("zh-Hant", ["zh", "de"], SAME) is None
    assert nearest("zh-Hant", ["zh", "de"], KIN) == "zh"
    assert nearest("nl", ["de", "zh"], KIN) is None
    assert nearest("no", ["nob_Latn", "dan_Latn"], SAME) == "nob_Latn"


def test_english_names() -> None:
    assert [english_name(tag) for tag in ("de", "de-AT", "zh_CN", "ro")] == ["German", "German", "Chinese", "Romanian"]
    with pytest.raises(SampleError):
        english_name("xx yy")
