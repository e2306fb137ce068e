"""Models of known shapes whose answers have a known length: they count down.

    python -m tests.benchmarks.shapes llama|llama-1b|marian FOLDER

Every token belongs to a class, its number of steps to the end, and has a variant. Weights are random, as in an
untrained model, but for a few neurons of the last layer: they turn the class of the newest token into the one below,
and class 0 is the end token. The variant is left to the random weights, so it depends on all that was read. So the
last word of a prompt says how long the answer is, in any precision, while its words tell a wrong computation.
A text is its tokens: word "123" is token 123.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

STEPS = 128
"""The longest answer of the Llama shape, in tokens, the end token not counted."""
SENTENCE = 80
"""The longest sentence of the Marian shape, in tokens, the end token not counted."""
LLAMA = 49152
MARIAN = 58101
FIRST = 2
"""The first token that has a class above 0; before it are the end token and the unknown one."""
SPREAD = 0.02
"""Standard deviation of random weights."""
HALF_SEEN = 6.0
"""Half of what a direction comes to in the last layer of the Marian shape."""
INPUTS = ["input_ids", "attention_mask"]


def token(steps: int, variant: int, longest: int) -> int:
    """Return the token that is ``steps`` (1 to ``longest``) before the end."""
    return FIRST + variant * longest + steps - 1


SMALL = {"hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9}
"""SmolLM-135M (Allal et al. 2025)."""
LARGE = {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32}
"""Llama 3.2 1B, with the vocabulary of the small one."""


def llama(folder: Path, sizes: dict[str, int]) -> None:
    """Write a decoder of Llama's kind; three heads share keys and values, or four."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=LLAMA,
        **sizes,
        num_key_value_heads=3 if sizes is SMALL else 8,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=0,
    )
    model = LlamaForCausalLM(config).eval()
    classes = directions(STEPS + 1, config.hidden_size)
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.q_proj.weight *= 3  # attention that looks at some tokens more than at others
            layer.self_attn.k_proj.weight *= 3
            layer.self_attn.o_proj.weight /= (2 * config.num_hidden_layers) ** 0.5
            layer.mlp.down_proj.weight /= (2 * config.num_hidden_layers) ** 0.5
        write_classes(model.model.embed_tokens.weight, 3 * classes, STEPS)
        last = model.model.layers[-1].mlp
        last.gate_proj.weight[:STEPS] = last.up_proj.weight[:STEPS] = classes[1:]
        last.down_proj.weight[:, :STEPS] = (classes[:-1] - classes[1:]).T / 100
    save(model, folder, LLAMA, pad="</s>")


def marian(folder: Path) -> None:
    """Write a model of the shape that Opus-MT's have (Tiedemann and Thottingal 2020), with their search settings."""
    from transformers import MarianConfig, MarianMTModel

    torch.manual_seed(0)
    size, pad = 512, MARIAN - 1
    config = MarianConfig(
        vocab_size=MARIAN,
        d_model=size,
        encoder_layers=6,
        decoder_layers=6,
        encoder_ffn_dim=2048,
        decoder_ffn_dim=2048,
        encoder_attention_heads=8,
        decoder_attention_heads=8,
        activation_function="swish",
        scale_embedding=True,
        share_encoder_decoder_embeddings=True,
        pad_token_id=pad,
        eos_token_id=0,
        forced_eos_token_id=0,
        decoder_start_token_id=pad,
        bos_token_id=0,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        static_position_embeddings=True,
    )
    model = MarianMTModel(config).eval()
    known = directions(2 * SENTENCE + 2, size)
    classes, read, start = known[: SENTENCE + 1], known[SENTENCE + 1 : -1], known[-1]
    with torch.no_grad():
        write_classes(model.model.shared.weight, classes, SENTENCE)
        model.model.shared.weight[pad] = start
        last = model.model.decoder.layers[-1]
        last.encoder_attn.v_proj.weight[:SENTENCE] = classes[1:]  # what class the source is of
        last.encoder_attn.out_proj.weight[:, :SENTENCE] = read.T
        count, begin = slice(0, SENTENCE), slice(SENTENCE, 2 * SENTENCE)
        last.fc1.weight[count], last.fc1.bias[count] = classes[1:], -HALF_SEEN
        last.fc2.weight[:, count] = (classes[:-1] - classes[1:]).T * 4
        last.fc1.weight[begin], last.fc1.bias[begin] = read + start, -3 * HALF_SEEN
        last.fc2.weight[:, begin] = (classes[1:] - start).T * 4
    model.generation_config.max_length = config.max_position_embeddings
    model.generation_config.num_beams = 4
    model.generation_config.bad_words_ids = [[pad]]
    save(model, folder, MARIAN, pad="<pad>")


def directions(count: int, size: int) -> Tensor:
    """Return orthonormal rows."""
    orthonormal: Tensor = torch.linalg.qr(torch.randn(size, count))[0]
    return orthonormal.T


def write_classes(embeddings: Tensor, classes: Tensor, longest: int) -> None:
    """Have every token's embedding tell its class."""
    embeddings.normal_(0, SPREAD)
    embeddings[0] += classes[0]
    steps = torch.arange(len(embeddings) - FIRST) % longest + 1
    embeddings[FIRST:] += classes[steps]


def save(model: Any, folder: Path, vocabulary: int, pad: str) -> None:
    """Write model and tokenizer."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from transformers import PreTrainedTokenizerFast

    names = {0: "</s>", 1: "<unk>"}
    if pad != "</s>":
        names[vocabulary - 1] = pad
    words = Tokenizer(WordLevel({names.get(one, str(one)): one for one in range(vocabulary)}, unk_token="<unk>"))
    words.pre_tokenizer = WhitespaceSplit()
    special = {"bos_token": "</s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": pad}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, model_input_names=INPUTS, **special)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


SHAPES: dict[str, Callable[[Path], None]] = {
    "llama": partial(llama, sizes=SMALL),
    "llama-1b": partial(llama, sizes=LARGE),
    "marian": marian,
}


def main() -> None:
    """Write one model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=tuple(SHAPES))
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    SHAPES[given.shape](given.folder)


if __name__ == "__main__":
    main()
