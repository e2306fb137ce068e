"""A model small enough to be trained in a test."""

from __future__ import annotations

from pathlib import Path


def train(data: Path, folder: Path) -> None:
    """Train a small GPT-2 from nothing on the lines of ``data``, and save it in ``folder``."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    from nlptasks.backends.hf.quiet import quiet

    lines = data.read_text("utf-8").splitlines()
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer, bpe.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    end, alphabet = "<|endoftext|>", pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=480, show_progress=False, special_tokens=[end], initial_alphabet=alphabet)
    bpe.train_from_iterator(lines, trainer)
    torch.set_num_threads(1)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token=end, eos_token=end, model_max_length=256)
    rows = [[0, *tokenizer(line)["input_ids"], 0] for line in lines]
    width = max(map(len, rows))
    ids, labels = (torch.tensor([row + [fill] * (width - len(row)) for row in rows]) for fill in (0, -100))
    with torch.random.fork_rng([]), quiet():
        torch.manual_seed(0)
        config = GPT2Config(n_embd=64, n_layer=2, n_head=2, n_positions=256, vocab_size=len(tokenizer))
        model = GPT2LMHeadModel(config)
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
        for _ in range(60):
            loss = model(input_ids=ids, labels=labels).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval().save_pretrained(folder)
        tokenizer.save_pretrained(folder)
