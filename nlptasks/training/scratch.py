"""A model that begins from nothing: a tokenizer learnt from the data, and random weights of a chosen shape."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlptasks.backends.hf.quiet import quiet
from nlptasks.errors import ConfigError, UnknownNameError, UnsupportedError
from nlptasks.training.families.base import Example

CONFIGS: Mapping[str, Mapping[str, Any]] = {
    "tiny": {
        "model_type": "gpt2",
        "vocab_size": 480,
        "n_embd": 64,
        "n_layer": 2,
        "n_head": 2,
        "n_positions": 256,
    },
    "small": {
        "model_type": "llama",
        "vocab_size": 8192,
        "hidden_size": 256,
        "intermediate_size": 768,
        "num_hidden_layers": 6,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "max_position_embeddings": 512,
        "tie_word_embeddings": True,
    },
    "translator-small": {
        "model_type": "mbart",
        "vocab_size": 12000,
        "d_model": 320,
        "encoder_layers": 4,
        "decoder_layers": 2,
        "encoder_attention_heads": 5,
        "decoder_attention_heads": 5,
        "encoder_ffn_dim": 1280,
        "decoder_ffn_dim": 1280,
        "max_position_embeddings": 256,
        "scale_embedding": True,
        "dropout": 0.1,
    },
}
"""0.1, 7 and 12 million parameters: for a page to look into, a corpus of a few megabytes, and sentence pairs."""
WORD = r"\p{Han}|[\p{Hiragana}\p{Katakana}]+|[^\s▁\p{L}\p{M}\p{N}]|\p{N}{1,3}"
"""What no token of a translator reaches across, beside spaces: most characters of Chinese, punctuation, digits."""
CAUSAL, SEQ2SEQ = "AutoModelForCausalLM", "AutoModelForSeq2SeqLM"
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
SENTENCE_END = "<|endoftext|>"


@dataclass(frozen=True)
class Blueprint:
    """What to make: a config's values by their names, from which transformers builds the model."""

    values: Mapping[str, Any]

    @classmethod
    def fitting(cls, task: str) -> str:
        """Return the name of the config for a task where the user names none."""
        return "translator-small" if task == "translation" else "tiny"

    @classmethod
    def named(cls, name: str) -> Blueprint:
        """Return one of ours, or read a config file of transformers.

        Raises:
            UnknownNameError, ConfigError: there is no such config, or it is none.
        """
        if name in CONFIGS:
            return cls(CONFIGS[name])
        path = Path(name)
        if not path.is_file():
            raise UnknownNameError("config", name, CONFIGS, f"Give {', '.join(CONFIGS)} or a config.json.")
        try:
            values = json.loads(path.read_text("utf-8"))
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{path} is no config file: {error}") from None
        if not isinstance(values, dict) or "model_type" not in values or "vocab_size" not in values:
            raise ConfigError(f"{path} is no config of a model: it needs a model_type and a vocab_size.")
        return cls(values)

    def check(self, task: str) -> None:
        """Raise UnsupportedError for a config of which no model can be made here, or none for the task."""
        kind = self.values["model_type"]
        if self.loader is None:
            raise UnsupportedError(f"A {kind!r} model writes no text: choose a causal or a sequence-to-sequence one.")
        if self.loader == SEQ2SEQ and task == "text-generation":
            raise UnsupportedError(f"A {kind!r} model does not continue text: choose a causal one, such as small.")

    @property
    def loader(self) -> str | None:
        """The class of transformers that makes the model, None where it writes no text."""
        from transformers.models.auto import modeling_auto as known

        if self.values["model_type"] in known.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES:
            return SEQ2SEQ
        return CAUSAL if self.values["model_type"] in known.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES else None

    def config(self, **more: Any) -> Any:
        """Return the config for transformers.

        Raises:
            ConfigError: it does not fit its model.
        """
        from transformers import AutoConfig

        values = {name: value for name, value in self.values.items() if name not in ("model_type", "architectures")}
        try:
            return AutoConfig.for_model(self.values["model_type"], **{**values, **more})
        except Exception as error:  # a library may find fault with anything
            raise ConfigError(f"The config does not fit: {' '.join(str(error).split())}") from None

    def build(self, folder: Path, examples: Callable[[], Iterator[Example]], seed: int) -> None:
        """Write a model with random weights and its tokenizer into ``folder``."""
        import torch
        import transformers

        learn = _translator if self.loader == SEQ2SEQ else _byte_level
        tokenizer = learn(examples, self.values["vocab_size"])
        config = self.config(**_ids(tokenizer, self.loader))
        tokenizer.model_max_length = getattr(config, "max_position_embeddings", None) or 1024
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            model = getattr(transformers, str(self.loader)).from_config(config)
        with quiet():
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)


def rate(config: Any) -> float:
    """Return the peak of the learning rate for a model from nothing: it falls with the root of the model's width.

    Vaswani et al. 2017, section 5.3; the constant is what suits models of up to a few million parameters.
    """
    return float(0.024 / config.hidden_size**0.5)


def _ids(tokenizer: Any, loader: str | None) -> dict[str, Any]:
    ids = {
        "vocab_size": len(tokenizer),
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    if loader == SEQ2SEQ:
        ids |= {"decoder_start_token_id": tokenizer.eos_token_id, "forced_eos_token_id": None}
    return ids


def _byte_level(examples: Callable[[], Iterator[Example]], size: int) -> Any:
    """Learn a byte-level BPE tokenizer: every text in any script can be written with it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=[SENTENCE_END], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(_texts(examples()), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=SENTENCE_END, eos_token=SENTENCE_END, pad_token=SENTENCE_END
    )


def _translator(examples: Callable[[], Iterator[Example]], size: int) -> Any:
    """Learn one cased BPE vocabulary for all languages of the data, with a token for each language."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
    from transformers import NllbTokenizer

    languages = _languages(examples())
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(), pre_tokenizers.Split(Regex(WORD), "isolated")]
    )
    room = max(len(SPECIAL) + 2, size - len(languages) - 1)
    trainer = trainers.BpeTrainer(
        vocab_size=room,
        min_frequency=2,
        limit_alphabet=room // 2,
        special_tokens=list(SPECIAL),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(examples()), trainer)
    model = json.loads(tokenizer.to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    return NllbTokenizer(vocab=model["vocab"], merges=merges, extra_special_tokens=languages)


def _texts(examples: Iterable[Example]) -> Iterator[str]:
    for example in examples:
        if not example.plain and (text := example.request.fields.get("text")):
            yield text
        yield example.target


def _languages(examples: Iterable[Example]) -> Sequence[str]:
    """Return the codes of all languages that examples are in, as NLLB writes them."""
    from langcodes import Language

    fields = ("source_lang", "target_lang")
    tags = {example.request.fields.get(name) for example in examples for name in fields} - {None}
    found = (Language.get(str(tag)).maximize() for tag in tags)
    return sorted({f"{language.to_alpha3()}_{language.script}" for language in found})
