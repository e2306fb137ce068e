"""Ways to have a local model answer many prompts: ``python generators.py pipeline WORK.json``.

The work names a model's folder, a device, the precision, the task, the prompts, the most new tokens, the beams and
the rows of a batch. What was measured is printed as one line of JSON: seconds, CPU seconds, and the answers; loading
and a first short prompt are left out.
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
    config = GenerationConfig(max_new_tokens=work["new"], num_beams=work["beams"])

    def answer(prompts: Sequence[str]) -> list[str]:
        answers = backend.complete(
            [Request((Message("user", prompt),), work["task"], {"text": prompt}, config) for prompt in prompts]
        )
        return [one.text if isinstance(one, Completion) else repr(one) for one in answers]

    return answer


def nlptasks_apart(work: dict[str, Any]) -> Answer:
    """Answer as ``nlptasks`` does, but read every prompt from its beginning."""
    from nlptasks.backends.hf.decoding import decoder

    vars(decoder)["shared"] = lambda ids, others: 0
    return nlptasks(work)


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


def generate(work: dict[str, Any]) -> Answer:
    """Answer with transformers' ``generate``, in batches that are cut from the prompts as they come."""
    import torch
    import transformers

    config = transformers.AutoConfig.from_pretrained(work["model"])
    kind = transformers.AutoModelForSeq2SeqLM if config.is_encoder_decoder else transformers.AutoModelForCausalLM
    model = kind.from_pretrained(work["model"], dtype=work["precision"]).to(work["device"]).eval()
    side = "right" if config.is_encoder_decoder else "left"
    tokenizer = transformers.AutoTokenizer.from_pretrained(work["model"], padding_side=side)
    told = {"max_new_tokens": work["new"], "num_beams": work["beams"], "do_sample": False}

    def batch(prompts: Sequence[str]) -> list[str]:
        tokens = tokenizer(list(prompts), return_tensors="pt", padding=True).to(model.device)
        with torch.inference_mode():
            found = model.generate(**tokens, **told)
        new = found if config.is_encoder_decoder else found[:, tokens["input_ids"].shape[1] :]
        return list(tokenizer.batch_decode(new, skip_special_tokens=True))

    def answer(prompts: Sequence[str]) -> list[str]:
        cuts = range(0, len(prompts), work["batch"])
        return [text for first in cuts for text in batch(prompts[first : first + work["batch"]])]

    return answer


def generate_batch(work: dict[str, Any]) -> Answer:
    """Answer with transformers' continuous batching."""
    import transformers

    model = transformers.AutoModelForCausalLM.from_pretrained(
        work["model"], dtype=work["precision"], attn_implementation="sdpa"
    )
    model = model.to(work["device"]).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(work["model"])
    config = transformers.GenerationConfig(
        max_new_tokens=work["new"], do_sample=False, eos_token_id=model.config.eos_token_id, pad_token_id=0
    )

    def answer(prompts: Sequence[str]) -> list[str]:
        ids = [tokenizer(prompt)["input_ids"] for prompt in prompts]
        found = model.generate_batch(inputs=ids, generation_config=config).values()
        known = {tuple(one.prompt_ids): one.generated_tokens for one in found}
        return [str(tokenizer.decode(known[tuple(one)], skip_special_tokens=True)) for one in ids]

    return answer


WAYS = {
    way.__name__: way
    for way in (nlptasks, nlptasks_apart, pipeline, generate, generate_batch, lm_eval, inspect, ctranslate2)
}


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
