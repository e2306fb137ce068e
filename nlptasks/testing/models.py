"""Tiny, randomly initialised models of every family, for tests that need a real one.

Each is built and saved in well under a second, has a real config, tokenizer and safetensors, and writes nonsense.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nlptasks.testing import tokenizers

LLAMA_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}</s>\n"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
QWEN_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
VISION_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}IMAGE\n{% else %}{{ part['text'] }}{% endif %}{% endfor %}END\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)
LAYERS = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
SEQ2SEQ_LAYERS = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "max_position_embeddings": 512,
}


def tiny_model(family: str, directory: Path) -> Path:
    """Build a tiny model in ``directory`` and return the directory.

    ``family`` is one of ``BUILDERS``: llama, qwen3, gpt2, marian, t5, nllb, bert-qa, selector, llava, qwen2-vl. The
    same family always gets the same weights.
    """
    import torch

    from nlptasks.backends.hf.quiet import quiet

    directory.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng([]), quiet():
        torch.manual_seed(0)
        BUILDERS[family](directory)
    return directory


def _save(directory: Path, model: Any, *readers: Any) -> None:
    model.eval().save_pretrained(directory)
    for reader in readers:
        reader.save_pretrained(directory)


def _decoder(tokenizer: Any) -> dict[str, Any]:
    return {
        **LAYERS,
        "num_key_value_heads": 2,
        "vocab_size": len(tokenizer),
        "max_position_embeddings": 2048,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def _llama(directory: Path) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = tokenizers.byte_level(["<s>", "</s>"], bos_token="<s>", eos_token="</s>", model_max_length=2048)
    tokenizer.chat_template = LLAMA_TEMPLATE
    _save(directory, LlamaForCausalLM(LlamaConfig(**_decoder(tokenizer))), tokenizer)


def _qwen3(directory: Path) -> None:
    from transformers import Qwen3Config, Qwen3ForCausalLM

    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    names = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
    tokenizer = tokenizers.byte_level(special, **names, model_max_length=2048)
    tokenizer.add_tokens(["<think>", "</think>"])
    tokenizer.chat_template = QWEN_TEMPLATE
    _save(directory, Qwen3ForCausalLM(Qwen3Config(**_decoder(tokenizer), head_dim=8)), tokenizer)


def _gpt2(directory: Path) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    end = "<|endoftext|>"
    tokenizer = tokenizers.byte_level([end], bos_token=end, eos_token=end, model_max_length=2048)
    size = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 2048}
    config = GPT2Config(**size, vocab_size=len(tokenizer), bos_token_id=0, eos_token_id=0)
    _save(directory, GPT2LMHeadModel(config), tokenizer)


def _marian(directory: Path) -> None:
    from transformers import MarianConfig, MarianMTModel, MarianTokenizer

    model, pieces = tokenizers.sentence_pieces()
    vocabulary = {piece: index for index, piece in enumerate(["</s>", "<unk>", *pieces, "<pad>"])}
    paths = {name: directory / f"{name}.spm" for name in ("source", "target")}
    for path in paths.values():
        path.write_bytes(model)
    (directory / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    tokenizer = MarianTokenizer(
        source_spm=str(paths["source"]),
        target_spm=str(paths["target"]),
        vocab=str(directory / "vocab.json"),
        source_lang="en",
        target_lang="de",
        model_max_length=128,
    )
    pad = vocabulary["<pad>"]
    ids = {"pad_token_id": pad, "decoder_start_token_id": pad, "eos_token_id": 0, "forced_eos_token_id": 0}
    config = MarianConfig(**SEQ2SEQ_LAYERS, **ids, vocab_size=len(vocabulary))
    _save(directory, MarianMTModel(config), tokenizer)


def _t5(directory: Path) -> None:
    from transformers import T5Config, T5ForConditionalGeneration

    tokenizer = tokenizers.unigram(model_max_length=512)
    size = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4}
    config = T5Config(**size, vocab_size=len(tokenizer), decoder_start_token_id=0)
    model = T5ForConditionalGeneration(config)
    model.shared.weight.data[tokenizer.all_special_ids] = 0  # else it would write nothing but padding
    _save(directory, model, tokenizer)


def _nllb(directory: Path) -> None:
    from transformers import M2M100Config, M2M100ForConditionalGeneration

    languages = ["eng_Latn", "deu_Latn", "zho_Hans", "zho_Hant", "fra_Latn"]
    tokenizer = tokenizers.with_languages(languages, model_max_length=128)
    ids = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2}
    config = M2M100Config(**SEQ2SEQ_LAYERS, **ids, vocab_size=len(tokenizer))
    _save(directory, M2M100ForConditionalGeneration(config), tokenizer)


def _bert_qa(directory: Path) -> None:
    from transformers import BertConfig, BertForQuestionAnswering

    tokenizer = tokenizers.word_piece(model_max_length=128)
    config = BertConfig(**LAYERS, vocab_size=len(tokenizer), max_position_embeddings=128)
    _save(directory, BertForQuestionAnswering(config), tokenizer)


def _selector(directory: Path) -> None:
    from transformers import BertConfig, BertModel

    from nlptasks.backends.hf.selector import on_encoder

    tokenizer = tokenizers.word_piece(model_max_length=128)
    config = BertConfig(**LAYERS, vocab_size=len(tokenizer), max_position_embeddings=128)
    _save(directory, on_encoder(BertModel(config)), tokenizer)


def _llava(directory: Path) -> None:
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    special = ["<s>", "</s>", "<image>"]
    tokenizer = tokenizers.byte_level(special, bos_token="<s>", eos_token="</s>", model_max_length=2048)
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**LAYERS, image_size=32, patch_size=8),
        text_config=LlamaConfig(**_decoder(tokenizer)),
        image_token_index=special.index("<image>"),
    )
    pictures = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    processor = LlavaProcessor(
        image_processor=pictures,
        tokenizer=tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=VISION_TEMPLATE.replace("IMAGE", "<image>").replace("END", "</s>"),
    )
    _save(directory, LlavaForConditionalGeneration(config), processor)


def _qwen2_vl(directory: Path) -> None:
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    names = ["vision_start", "vision_end", "image_pad", "video_pad"]
    special = ["<|endoftext|>", "<|im_end|>", *(f"<|{name}|>" for name in names)]
    tokenizer = tokenizers.byte_level(special, eos_token="<|im_end|>", pad_token="<|endoftext|>", model_max_length=2048)
    image = "<|vision_start|><|image_pad|><|vision_end|>"
    tokenizer.chat_template = VISION_TEMPLATE.replace("IMAGE", image).replace("END", "<|im_end|>")
    text: Mapping[str, Any] = {
        **_decoder(tokenizer),
        "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2]},
    }
    config = Qwen2VLConfig(
        vision_config={"depth": 2, "embed_dim": 32, "hidden_size": 32, "num_heads": 4, "mlp_ratio": 2},
        text_config=text,
        vision_start_token_id=2,
        vision_end_token_id=3,
        image_token_id=4,
        video_token_id=5,
    )
    pictures = Qwen2VLImageProcessorPil(min_pixels=56 * 56, max_pixels=4 * 56 * 56)
    _save(directory, Qwen2VLForConditionalGeneration(config), tokenizer, pictures)


BUILDERS: Mapping[str, Callable[[Path], None]] = {
    "llama": _llama,
    "qwen3": _qwen3,
    "gpt2": _gpt2,
    "marian": _marian,
    "t5": _t5,
    "nllb": _nllb,
    "bert-qa": _bert_qa,
    "selector": _selector,
    "llava": _llava,
    "qwen2-vl": _qwen2_vl,
}
