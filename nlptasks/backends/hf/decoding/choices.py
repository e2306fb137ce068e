"""How the next tokens of a batch of sentences are chosen: the likeliest, or beams.

A batch is (sentences, beams, tokens); there is but one beam until the first token is chosen.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch

NEVER = -1.0e9
"""The score of what must not be chosen, as in transformers."""


class Choice(Protocol):
    """Choosing, step by step."""

    tokens: Any
    """What was chosen so far (sentences, beams, tokens), the start included."""
    done: Any
    """Which sentences (sentences,) are as good as they can get."""

    def step(self, logits: Any) -> Any:
        """Choose from ``logits`` (sentences times beams, vocabulary); return the beams (sentences, beams) to follow."""

    def keep(self, which: Any) -> None:
        """Go on with these sentences only."""

    def answers(self, sentence: int) -> list[list[int]]:
        """Return the best answers for one sentence, the best first."""


class Greedy:
    """The likeliest token, again and again."""

    def __init__(self, start: Any, processor: Any, stop: Any, config: Any) -> None:
        """``start`` is (sentences, 1); the others are those that transformers gives to its own loops."""
        self.tokens = start[:, None]
        self.done = torch.zeros(len(start), dtype=torch.bool, device=start.device)
        self._processor, self._stop = processor, stop

    def step(self, logits: Any) -> Any:
        chosen = self._processor(self.tokens[:, 0], logits).argmax(-1)
        self.tokens = torch.cat((self.tokens, chosen[:, None, None]), dim=2)
        self.done = self._stop(self.tokens[:, 0], None)
        return torch.zeros_like(chosen)[:, None]

    def keep(self, which: Any) -> None:
        self.tokens, self.done = self.tokens[which], self.done[which]

    def answers(self, sentence: int) -> list[list[int]]:
        return [self.tokens[sentence, 0].tolist()]


class Beams:
    """The likeliest answers as a whole, found and weighed as transformers' ``_beam_search`` does it.

    ``_scores`` (sentences, beams) are the logarithms of how likely ``tokens`` are. ``_texts`` are the best answers that
    ended, ``_best`` their scores for each token, ``_ended`` which of them there are.
    """

    def __init__(self, start: Any, processor: Any, stop: Any, config: Any) -> None:
        """``start`` is (sentences, 1); the others are those that transformers gives to its own loops."""
        self._processor, self._stop, self._config = processor, stop, config
        ends = config._eos_token_tensor
        self._width = config.num_beams
        self._candidates = max(2, 1 + (0 if ends is None else len(ends))) * self._width
        self.tokens = start[:, None]
        self.done = torch.zeros(len(start), dtype=torch.bool, device=start.device)
        self._scores = torch.zeros(len(start), 1, device=start.device)
        self._texts = start[:, None].expand(-1, self._width, -1)
        self._best = torch.full((len(start), self._width), NEVER, device=start.device)
        self._ended = torch.zeros_like(self._best, dtype=torch.bool)

    def step(self, logits: Any) -> Any:
        chances = self._processor(self.tokens.flatten(0, 1), logits.log_softmax(-1))
        # The best of each beam first: a pass over all scores is dear.
        chances, chosen = chances.topk(min(self._candidates, chances.shape[-1]))
        chances = (chances.view(*self._scores.shape, -1) + self._scores[:, :, None]).flatten(1)
        scores, places = chances.topk(min(self._candidates, chances.shape[-1]))
        parents = places // chosen.shape[-1]
        chosen = chosen.view(len(chances), -1).gather(1, places)
        texts = torch.cat((_picked(self.tokens, parents), chosen[:, :, None]), dim=2)
        ends = self._stop(texts.flatten(0, 1), None).view(scores.shape)
        self._finish(texts, scores, ends)
        self._scores, going = (scores + ends * NEVER).topk(self._width)
        self.tokens = _picked(texts, going)
        self.done = self._settled() | ends.all()
        return parents.gather(1, going)

    def keep(self, which: Any) -> None:
        for name in ("tokens", "done", "_scores", "_texts", "_best", "_ended"):
            setattr(self, name, getattr(self, name)[which])

    def answers(self, sentence: int) -> list[list[int]]:
        texts = self._texts[sentence, : self._config.num_return_sequences or 1].tolist()
        return [[token for token in text if token >= 0] for text in texts]

    def _finish(self, texts: Any, scores: Any, ends: Any) -> None:
        """Keep the best answers that ended; of the new ones only those that are in the first places may be."""
        new = ends.clone()
        new[:, self._width :] = False
        if self._config.early_stopping is True:
            new &= ~self._ended.all(-1, keepdim=True)
        scores = self._rated(scores, texts.shape[2] - 1).masked_fill(~new, NEVER)
        old = torch.nn.functional.pad(self._texts, (0, 1), value=-1)
        self._best, which = torch.cat((self._best, scores), dim=1).topk(self._width)
        self._texts = _picked(torch.cat((old, texts), dim=1), which)
        self._ended = torch.cat((self._ended, new), dim=1).gather(1, which)

    def _settled(self) -> Any:
        """Return which sentences will find nothing better any more."""
        config = self._config
        longest = config.early_stopping == "never" and config.length_penalty > 0.0
        possible = self._rated(self._scores[:, :1], (config.max_length if longest else self.tokens.shape[2]) - 1)
        worst = self._best.amin(-1, keepdim=True).where(self._ended, NEVER)
        settled = (possible <= worst).all(-1)
        return settled | self._ended.all(-1) if config.early_stopping is True else settled

    def _rated(self, scores: Any, length: int) -> Any:
        return scores / length**self._config.length_penalty


def _picked(rows: Any, which: Any) -> Any:
    """Return the beams ``which`` (sentences, any number) of ``rows`` (sentences, beams, tokens)."""
    return rows.gather(1, which[:, :, None].expand(-1, -1, rows.shape[2]))
