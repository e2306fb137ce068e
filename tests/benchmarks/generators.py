"""Ways to have a local model answer many prompts: ``python generators.py pipeline WORK.json``.

The work names a model's folder, a device, the precision, the prompts and the most new tokens. What was measured is
printed as one line of JSON: seconds, CPU seconds, and the answers; loading and a first short prompt are left out.
Imports only what the chosen way needs: it may run in an environment without nlptasks.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Answer = Callable[[Sequence[str]], list[str]]


def nlptasks(work: dict[str, Any]) -> Answer:
    """Answer as every task of nlptasks is answered: by the backend of a local model."""
    from nlptasks.backends.hf import Options, load
    from nlptasks.records import Completion, GenerationConfig, Message, Request

    backend = load(work["model"], Options(device=work["device"], dtype=work["precision"]))
    config = GenerationConfig(max_new_tokens=work["new"])

    def answer(prompts: Sequence[str]) -> list[str]:
        answers = backend.complete([Request((Message("user", prompt),), "chat", {}, config) for prompt in prompts])
        return [one.text if isinstance(one, Completion) else repr(one) for one in answers]

    return answer


def pipeline(work: dict[str, Any]) -> Answer:
    """Answer with transformers' text-generation pipeline, one prompt at a time, as it does when nothing is set."""
    import transformers

    pipe = transformers.pipeline("text-generation", model=work["model"], device=work["device"], dtype=work["precision"])

    def answer(prompts: Sequence[str]) -> list[str]:
        found = pipe(list(prompts), max_new_tokens=work["new"], do_sample=False, return_full_text=False)
        return [one[0]["generated_text"] for one in found]

    return answer


def lm_eval(work: dict[str, Any]) -> Answer:
    """Answer with lm-eval's ``hf`` model, in batches of the size that the work names."""
    from lm_eval.api.instance import Instance  # type: ignore[import-not-found]
    from lm_eval.models.huggingface import HFLM  # type: ignore[import-not-found]

    model = HFLM(pretrained=work["model"], device=work["device"], dtype=work["precision"], batch_size=work["batch"])
    told = {"until": [], "max_gen_toks": work["new"], "do_sample": False}

    def answer(prompts: Sequence[str]) -> list[str]:
        asked = [Instance("generate_until", {}, (prompt, told), at) for at, prompt in enumerate(prompts)]
        return [str(text) for text in model.generate_until(asked, disable_tqdm=True)]

    return answer


def inspect(work: dict[str, Any]) -> Answer:
    """Answer with an inspect evaluation that generates once for each sample."""
    from inspect_ai import Task  # type: ignore[import-not-found]
    from inspect_ai import eval as evaluate
    from inspect_ai.dataset import Sample  # type: ignore[import-not-found]
    from inspect_ai.model import get_model  # type: ignore[import-not-found]
    from inspect_ai.solver import generate  # type: ignore[import-not-found]

    model = get_model(
        "hf/local",
        model_path=work["model"],
        device=work["device"],
        torch_dtype=work["precision"],
        chat_template="{{ messages[0]['content'] }}",
        do_sample=False,
    )
    at_once = int(work["batch"])

    def answer(prompts: Sequence[str]) -> list[str]:
        [log] = evaluate(
            Task([Sample(prompt, id=at) for at, prompt in enumerate(prompts, 1)], solver=generate()),
            model=model,
            max_tokens=work["new"],
            max_connections=at_once,
            max_samples=4 * at_once,
            display="none",
            log_dir="inspect-logs",
        )
        assert log.status == "success", log.error
        answers = {sample.id: sample.output.completion for sample in log.samples}
        return [answers[at] for at in range(1, len(prompts) + 1)]

    return answer


def ctranslate2(work: dict[str, Any]) -> Answer:
    """Answer with CTranslate2, which has its own copy of the model in the folder ``ctranslate2`` beside it."""
    import ctranslate2 as ct2
    import torch

    copy = Path(work["model"]).with_name("ctranslate2")
    generator = ct2.Generator(
        str(copy), work["device"], compute_type=work["precision"], intra_threads=torch.get_num_threads()
    )

    def answer(prompts: Sequence[str]) -> list[str]:
        found = generator.generate_batch(
            [prompt.split() for prompt in prompts],
            max_length=work["new"],
            sampling_topk=1,
            end_token="</s>",
            include_prompt_in_result=False,
            max_batch_size=work["batch"],
        )
        return [" ".join(one.sequences[0]) for one in found]

    return answer


WAYS = {way.__name__: way for way in (nlptasks, pipeline, lm_eval, inspect, ctranslate2)}


def main() -> None:
    """Print what one way took."""
    work = json.loads(Path(sys.argv[2]).read_text("utf-8"))
    answer = WAYS[sys.argv[1]](work)
    answer([" ".join(prompt.split()[-16:]) for prompt in work["prompts"][:2]])
    start, cpu = time.perf_counter(), time.process_time()
    answers = answer(work["prompts"])
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    sys.stdout.write(json.dumps({"seconds": seconds, "cpu": cpu, "answers": answers}) + "\n")


if __name__ == "__main__":
    main()
