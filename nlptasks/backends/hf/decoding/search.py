"""Greedy and beam search of encoder-decoder models: what ``generate`` finds, from a batch that sentences leave.

Handed to ``generate`` as its loop, so what bends scores and what ends an answer are transformers' own.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nlptasks.backends.hf.decoding.choices import Choice


def finds(config: Any) -> bool:
    """Return whether ``search`` does what a GenerationConfig says."""
    from transformers.generation import GenerationMode

    plain = config.use_cache is not False and config.cache_implementation is None and not config.low_memory
    return plain and config.get_generation_mode() in (GenerationMode.GREEDY_SEARCH, GenerationMode.BEAM_SEARCH)


def search(
    model: Any, input_ids: Any, logits_processor: Any, stopping_criteria: Any, generation_config: Any, **inputs: Any
) -> Any:
    """Return what ``generate`` returns: a row of tokens for each answer, filled up behind its end."""
    import torch

    from nlptasks.backends.hf.decoding.branches import BRANCHES, Past
    from nlptasks.backends.hf.decoding.choices import Beams, Greedy

    beams = generation_config.num_beams
    kind = Beams if beams > 1 else Greedy
    choice: Choice = kind(input_ids[::beams], lean(logits_processor), stopping_criteria, generation_config)
    sources = inputs["attention_mask"][::beams]
    past = Past(_layers(model), beams, sources)
    cache = next(name for name in ("cache", "past_key_values") if name in inputs)  # renamed in transformers 5.24
    step = partial(model, use_cache=True, **{cache: past.cache})
    states = inputs["encoder_outputs"][0][::beams]
    here = list(range(len(sources)))
    found: dict[int, list[list[int]]] = {}
    while here:
        newest = choice.tokens[:, :, -1].reshape(-1, 1)
        with BRANCHES.looking_at(past, model.get_decoder().config):
            output = step(decoder_input_ids=newest, encoder_outputs=(states,), attention_mask=sources)
        parents = choice.step(output.logits[:, -1].float())
        if choice.done.any():
            found |= {here[at]: choice.answers(at) for at in choice.done.nonzero()[:, 0].tolist()}
            stay = _without_gaps(choice.done)
            here, parents = [here[at] for at in stay.tolist()], parents[stay]
            choice.keep(stay)
            past.keep(stay)
        past.branch(parents)
        # All has been read of the sources: what is handed on is but their shape.
        sources, states = (whole[:1].expand(parents.numel(), *whole.shape[1:]) for whole in (sources, states))
    rows = [row for at in range(len(found)) for row in found[at]]
    width, filler = max(map(len, rows)), int(generation_config._pad_token_tensor)
    return torch.tensor([row + [filler] * (width - len(row)) for row in rows], device=input_ids.device)


def _layers(model: Any) -> int:
    config = model.config
    return int(getattr(config, "decoder_layers", None) or config.num_decoder_layers)


def _without_gaps(done: Any) -> Any:
    """Return who stays, in such an order that few change places: the last ones fill the gaps."""
    import torch

    left = (~done).nonzero()[:, 0].tolist()
    last = iter([at for at in left if at >= len(left)])
    kept = set(left)
    order = [at if at in kept else next(last) for at in range(len(left))]
    return torch.tensor(order, dtype=torch.long, device=done.device)


def lean(processors: Any) -> Any:
    """Return logits processors that do the same, but ban single tokens without a copy of all scores.

    That is what Marian models have in their settings, and a tenth of the time of a search.
    """
    from transformers import LogitsProcessorList, NoBadWordsLogitsProcessor

    def leaner(one: Any) -> Any:
        if type(one) is NoBadWordsLogitsProcessor and all(len(ids) == 1 for ids in one.sequence_bias):
            return partial(_banned, ids=[ids[0] for ids in one.sequence_bias])
        return one

    return LogitsProcessorList(map(leaner, processors))


def _banned(_: Any, scores: Any, ids: Any) -> Any:
    scores[:, ids] = -float("inf")
    return scores


def suits(model: Any) -> bool:
    """Return whether ``search`` finds what ``model`` itself does: asked with a few tokens."""
    import torch

    vocabulary = model.config.get_text_config().vocab_size
    tokens = torch.arange(22, device=model.device).view(2, 11) * 7 % vocabulary
    mask = torch.ones_like(tokens)
    mask[1, 7:] = 0
    generate = partial(model.generate, tokens, attention_mask=mask, num_beams=2, max_new_tokens=6, do_sample=False)
    try:
        with torch.inference_mode():
            return torch.equal(generate(custom_generate=search), generate())
    except Exception:  # whatever a model's own code makes of it, ``generate`` remains
        return False
