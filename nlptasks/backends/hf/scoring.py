"""Log-likelihood: how probable a model finds a given continuation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nlptasks.backends.hf.batching import Prompt, pad
from nlptasks.records import Completion, Usage

if TYPE_CHECKING:
    from nlptasks.backends.hf.causal import CausalBackend


def score(backend: CausalBackend, batch: Sequence[Prompt]) -> list[Completion]:
    """Return one completion for each prompt, its ``data`` holding

    - ``loglikelihood``: the natural logarithm of the target's probability,
    - ``tokens``: how many tokens the target has,
    - ``is_greedy``: whether greedy decoding would have written exactly the target.
    """
    import torch

    with backend.lock, torch.inference_mode():
        rows = [[*prompt.ids, *prompt.target] for prompt in batch]
        inputs: dict[str, Any] = pad(rows, backend.filler, left=False, device=backend.model.device)
        first = min(len(prompt.ids) for prompt in batch) - 1
        if backend.model._supports_logits_to_keep():  # scores of the prompts would take gigabytes
            inputs["logits_to_keep"] = torch.arange(first, max(map(len, rows)), device=backend.model.device)
        logits = backend.model(**inputs).logits
        skipped = max(map(len, rows)) - logits.shape[1]
        answers = []
        for prompt, row in zip(batch, logits, strict=True):
            before = len(prompt.ids) - 1 - skipped  # the scores here are those of the first target token
            chances = row[before : before + len(prompt.target)].float().log_softmax(-1)
            target = torch.tensor(prompt.target, device=row.device)
            data = {
                "loglikelihood": chances.gather(1, target[:, None]).sum().item(),
                "tokens": len(prompt.target),
                "is_greedy": bool((chances.argmax(-1) == target).all()),
            }
            usage = Usage(len(prompt.ids) + len(prompt.target), 0)
            answers.append(Completion(str(prompt.request.continuation), usage=usage, data=data))
        return answers
