from __future__ import annotations

import threading
from typing import Any

import pytest
import torch

from nlptasks.records import Completion, Failure
from tests.backends.hf.conftest import Open, ask, completion
from tests.backends.hf.test_causal import generate


def test_greedy_ignores_what_the_checkpoint_says_about_sampling(tiny: Any, tmp_path: Any, hf: Open) -> None:
    import json
    import shutil

    folder = shutil.copytree(tiny("llama"), tmp_path / "model")
    settings = {
        "do_sample": True,
        "temperature": 5.0,
        "top_k": 3,
        "repetition_penalty": 9.0,
        "eos_token_id": [1, 7],
        "max_length": 4,
    }
    (folder / "generation_config.json").write_text(json.dumps(settings))
    backend, request = hf(folder), ask("Hello", max_new_tokens=12)
    assert completion(backend, request).text == completion(hf("llama"), request).text
    assert backend.published["eos_token_id"] == [1, 7]


def test_a_seed_repeats_and_its_neighbours_change_nothing(hf: Open) -> None:
    backend = hf("llama")
    request = ask("Hello", temperature=1.0, seed=7, max_new_tokens=12)
    alone = completion(backend, request).text
    others = [ask(text, temperature=1.0, seed=3, max_new_tokens=12) for text in ("a", "bb", "ccc")]
    assert backend.complete([*others, request])[-1].text == alone
    *_, streamed = backend.stream(request)
    assert streamed.text == alone
    assert completion(backend, ask("Hello", temperature=1.0, seed=8, max_new_tokens=12)).text != alone


def test_a_seed_leaves_the_callers_random_numbers_alone(hf: Open) -> None:
    backend = hf("llama")
    torch.manual_seed(1)
    expected = torch.rand(2).tolist()
    torch.manual_seed(1)
    completion(backend, ask("Hello", temperature=1.0, seed=7, max_new_tokens=4))
    assert torch.rand(2).tolist() == expected


def test_a_low_temperature_and_a_small_top_p_are_greedy(hf: Open) -> None:
    backend = hf("llama")
    greedy = completion(backend, ask("Hello", max_new_tokens=8)).text
    for config in (
        {"temperature": 1e-3},
        {"temperature": 1.0, "top_p": 1e-6},
        {"temperature": 1.0, "extra": {"top_k": 1}},
    ):
        assert completion(backend, ask("Hello", seed=1, max_new_tokens=8, **config)).text == greedy


def test_beams_are_those_of_transformers(hf: Open) -> None:
    backend = hf("gpt2")
    request = ask("Hello there", num_beams=3, max_new_tokens=10, extra={"length_penalty": 0.5})
    ids = backend.tokens(request)
    expected = generate(backend, ids, num_beams=3, max_new_tokens=10, length_penalty=0.5, do_sample=False)
    assert completion(backend, request).text == backend.decode(expected)
    delta, last = backend.stream(request)
    assert delta.text == last.text == backend.decode(expected)


def test_further_texts_are_alternatives(hf: Open) -> None:
    extra = {"num_return_sequences": 3}
    first, second = hf("llama").complete(
        [ask(text, num_beams=3, max_new_tokens=6, extra=extra) for text in ("Hello", "今天天气很好,我们")]
    )
    assert len(first.data["alternatives"]) == len(second.data["alternatives"]) == 2
    assert len({first.text, *first.data["alternatives"]}) == 3
    assert first.text == completion(hf("llama"), ask("Hello", num_beams=3, max_new_tokens=6)).text


@pytest.mark.parametrize("family", ["llama", "gpt2", "marian", "nllb"])
def test_a_stop_text_ends_the_answer_and_is_left_out(hf: Open, family: str) -> None:
    backend = hf(family)
    fields = {"text": "The weather is fine.", "source_lang": "en", "target_lang": "de"}
    full = completion(backend, ask("Hello", task="translation", fields=fields, max_new_tokens=20))
    stop = next(full.text[at : at + 3] for at in range(4, len(full.text)) if "\ufffd" not in full.text[at : at + 3])
    request = ask("Hello", task="translation", fields=fields, max_new_tokens=20, stop=(stop, "never there"))
    answer = completion(backend, request)
    assert answer.text == full.text[: full.text.index(stop)]
    assert answer.finish_reason == "stop"
    assert answer.usage.completion_tokens < full.usage.completion_tokens
    *deltas, last = backend.stream(request)
    assert last.text == answer.text == "".join(delta.text for delta in deltas)


def test_a_cut_answer_says_so(hf: Open) -> None:
    answer = completion(hf("llama"), ask("Hello", max_new_tokens=5))
    assert (answer.finish_reason, answer.usage.completion_tokens) == ("length", 5)
    assert answer.latency > 0


def test_extra_arguments_reach_generate(hf: Open) -> None:
    backend = hf("gpt2")
    ids = backend.tokens(ask("Hello"))
    for extra in ({"no_repeat_ngram_size": 1}, {"repetition_penalty": 3.0}, {"suppress_tokens": [ids[-1]]}):
        expected = generate(backend, ids, max_new_tokens=10, do_sample=False, **extra)
        requests = [ask(text, max_new_tokens=10, extra=extra) for text in ("Hello", "a far longer prompt than that")]
        assert backend.complete(requests)[0].text == backend.decode(expected)


def test_prompt_lookup_changes_no_answer_and_needs_no_batch_of_one(hf: Open) -> None:
    backend = hf("gpt2")
    texts = ("Hello Hello Hello", "今天天气很好今天天气很好", "a b a b a b")
    plain = backend.complete([ask(text, max_new_tokens=12) for text in texts])
    requests = [ask(text, max_new_tokens=12, extra={"prompt_lookup_num_tokens": 3}) for text in texts]
    for request, answer, expected in zip(requests, backend.complete(requests), plain, strict=True):
        assert answer.text == expected.text
        *deltas, last = backend.stream(request)
        assert "".join(delta.text for delta in deltas) == last.text == expected.text


def test_lengths_of_the_whole_text_count_the_prompt(hf: Open) -> None:
    backend = hf("llama")
    prompt = backend.limits().count(ask("Hello"))
    answer = completion(backend, ask("Hello", extra={"max_length": prompt + 3, "min_length": prompt + 3}))
    assert answer.usage.completion_tokens == 3


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"extra": {"tempreature": 1}}, "'tempreature'"),
        ({"extra": {"output_scores": True}}, "'output_scores'"),
        ({"extra": {"num_return_sequences": 3}}, "num_return_sequences"),
        ({"extra": {"top_k": -3}, "temperature": 1.0}, "top_k"),
        ({"max_new_tokens": 0}, "max_new_tokens"),
        ({"extra": {"max_new_tokens": "many"}}, "many"),
        ({"extra": {"num_beams": "many"}}, "many"),
    ],
)
def test_an_impossible_setting_fails_alone_and_is_named(hf: Open, config: dict[str, Any], says: str) -> None:
    fine, bad = hf("llama").complete([ask("Hi", max_new_tokens=2), ask("Hi", **{"max_new_tokens": 2, **config})])
    assert isinstance(fine, Completion)
    assert isinstance(bad, Failure)
    assert bad.type == "bad_request"
    assert says in bad.message
    assert "\n" not in bad.message


def test_memory_that_runs_out_halves_the_batch(hf: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = hf("llama", max_batch_tokens=16_000)  # not shared with other tests, for it will have learnt
    requests = [ask(text, max_new_tokens=4, num_beams=2) for text in ("a", "b", "c", "ddd")]
    expected = [answer.text for answer in backend.complete(requests)]
    real, sizes = backend.generate, []

    def scarce(batch: Any, hooks: Any) -> Any:
        sizes.append(len(batch))
        if len(batch) > 1:
            raise torch.OutOfMemoryError
        return real(batch, hooks)

    monkeypatch.setattr(backend, "generate", scarce)
    assert [answer.text for answer in backend.complete(requests)] == expected
    assert sizes == [4, 2, 1, 1, 2, 1, 1]
    sizes.clear()
    assert [answer.text for answer in backend.complete(requests)] == expected
    assert max(sizes) == 1  # what did not fit is not tried again

    def none(batch: Any, hooks: Any) -> Any:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(backend, "generate", none)
    assert {answer.type for answer in backend.complete(requests)} == {"out_of_memory"}


def test_a_row_that_the_model_breaks_on_fails_alone(hf: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = hf("gpt2")
    requests = [ask(text, max_new_tokens=4, num_beams=2) for text in ("a", "b", "bad", "c")]
    real = backend.generate

    def broken(batch: Any, hooks: Any) -> Any:
        if any(prompt.request.messages[0].content == "bad" for prompt in batch):
            raise RuntimeError("index out of range\nin self")
        return real(batch, hooks)

    monkeypatch.setattr(backend, "generate", broken)
    first, second, third, fourth = backend.complete(requests)
    assert third == Failure("backend", "The model raised RuntimeError: index out of range in self")
    assert all(isinstance(answer, Completion) for answer in (first, second, fourth))


def test_threads_get_the_answers_one_caller_gets(hf: Open) -> None:
    backend = hf("llama")
    requests = [ask(f"Hello {n}", temperature=1.0, seed=n, max_new_tokens=8) for n in range(6)]
    expected = [answer.text for answer in backend.complete(requests)]
    found: dict[int, str] = {}

    def run(index: int) -> None:
        found[index] = completion(backend, requests[index]).text

    threads = [threading.Thread(target=run, args=(index,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[index] for index in range(6)] == expected
