"""Small real tokenizers, trained on a few sentences, for the tiny models."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import Any

SENTENCES = (
    "The weather is fine today, and we are going for a walk in the park.",
    "Ada Lovelace wrote the first program in London in 1843.",
    "A small red fox jumped over the lazy dog near the river.",
    "Who wrote the letter, and where does she live now?",
    "Please translate this sentence from English into German and summarize the text.",
    "Das Wetter ist heute schön, und wir gehen im Park spazieren.",
    "Die Königin wohnt in einem großen Schloss über dem Fluss.",
    "Wer hat den Brief geschrieben, und wo lebt sie jetzt?",
    "今天天气很好,我们去公园散步。",
    "她在伦敦写了第一个程序。",
    "谁写了这封信?她现在住在哪里?",
)
"""What the tokenizers are trained on."""


def byte_level(special: Iterable[str], **settings: Any) -> Any:
    """Return a byte-level BPE tokenizer, as GPT-2, Llama 3 and Qwen have; ``special`` come first in it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **settings)


def unigram(**settings: Any) -> Any:
    """Return a Unigram tokenizer that ends each text with ``</s>``, as T5 has."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    special = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    trainer = trainers.UnigramTrainer(
        vocab_size=400, special_tokens=list(special.values()), unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing("$A </s>", "$A </s> $B </s>", [("</s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special, **settings)


def word_piece(**settings: Any) -> Any:
    """Return a WordPiece tokenizer, as BERT has."""
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertTokenizerFast

    tokenizer = BertWordPieceTokenizer(lowercase=False)
    tokenizer.train_from_iterator(SENTENCES, vocab_size=400, min_frequency=1, show_progress=False)
    return BertTokenizerFast(tokenizer_object=tokenizer._tokenizer, do_lower_case=False, **settings)


def with_languages(languages: Iterable[str], **settings: Any) -> Any:
    """Return an NLLB tokenizer with these language codes."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import NllbTokenizer

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    return NllbTokenizer(vocab=model["vocab"], merges=merges, extra_special_tokens=list(languages), **settings)


def sentence_pieces() -> tuple[bytes, list[str]]:
    """Train a SentencePiece model; return its file's content and its pieces without control tokens."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES),
        model_writer=model,
        vocab_size=300,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    ids = [i for i in range(pieces.get_piece_size()) if not pieces.is_control(i) and not pieces.is_unknown(i)]
    return model.getvalue(), [pieces.id_to_piece(i) for i in ids]
