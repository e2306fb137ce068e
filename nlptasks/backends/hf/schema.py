"""Answers that fit a JSON schema: tokens that would break it are never chosen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from nlptasks.backends.hf.backend import refuse
from nlptasks.errors import MissingExtraError


class Constraint:
    """A model's vocabulary, ready to be held to schemas. Building it takes about a second."""

    def __init__(self, tokenizer: Any, vocabulary: int, ends: Sequence[int]) -> None:
        try:
            from llguidance.hf import from_tokenizer
        except ImportError:
            raise refuse("unsupported", str(MissingExtraError("A JSON schema", "schema"))) from None
        self._tokenizer = from_tokenizer(tokenizer, n_vocab=vocabulary, eos_token=list(ends))
        self._ends = frozenset(ends)

    def matcher(self, schema: Mapping[str, Any]) -> Any:
        """Return the state before the first token. Raises SampleError for a schema that cannot be kept to."""
        from llguidance import LLMatcher

        grammar = LLMatcher.grammar_from_json_schema(
            json.dumps(schema),
            # One way to write each JSON text: else a model may go on writing blanks for ever.
            overrides={"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "},
        )
        matcher = LLMatcher(self._tokenizer, grammar, log_level=0)
        if error := matcher.get_error():
            raise refuse("bad_request", f"This JSON schema cannot be kept to: {' '.join(error.split())}")
        return matcher

    def processor(self, schema: Mapping[str, Any], start: int) -> Keep:
        """Return what holds answers that begin at token ``start`` to ``schema``."""
        return Keep(self.matcher(schema), start, self._ends)


class Keep:
    """A logits processor for transformers' ``generate``: forbids every token that leaves the grammar."""

    def __init__(self, matcher: Any, start: int, ends: frozenset[int]) -> None:
        self._start, self._ends = start, ends
        # Beams trade places between steps, so states are kept by the tokens that led to them.
        self._states: Mapping[tuple[int, ...], Any] = {(): matcher}

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Return the scores with those of forbidden tokens at minus infinity."""
        import torch

        rows = [tuple(row) for row in input_ids[:, self._start :].tolist()]
        open_rows = {row for row in rows if self._ends.isdisjoint(row)}
        self._states = {row: self._after(row) for row in open_rows}
        forbidden = torch.zeros(scores.shape, dtype=torch.bool)
        for index, row in enumerate(rows):
            if row in open_rows:  # one byte for each token, 0 where it is forbidden
                forbidden[index] = (
                    torch.frombuffer(bytearray(self._states[row].compute_logit_bias()), dtype=torch.uint8) == 0
                )
        return scores.masked_fill(forbidden.to(scores.device), -torch.inf)

    def _after(self, row: tuple[int, ...]) -> Any:
        """Return the state after ``row``, from that of one token before."""
        if not row:
            return self._states[row]
        state = self._states[row[:-1]].deep_copy()
        state.consume_token(row[-1])
        return state
