"""Our own decoding: rows that come and go, shared beginnings, and memory that runs out change no token."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
import torch

from nlptasks.backends.hf.backend import HFBackend
from nlptasks.backends.hf.decoding.decoder import KEPT, Decoder, Writer
from nlptasks.backends.hf.decoding.prefixes import LEAST, common, shared
from nlptasks.backends.hf.decoding.session import suits
from nlptasks.records import Completion, Failure
from tests.backends.hf.conftest import Open, ask
from tests.backends.hf.test_causal import generate

FAMILIES = ("llama", "qwen3", "gpt2")


def prompts(backend: Any) -> list[list[int]]:
    """Prompts of all lengths, of which eight begin alike."""
    chance, size = random.Random(0), backend.config.vocab_size

    def draw(count: int) -> list[int]:
        return [chance.randrange(size) for _ in range(count)]

    start = draw(2 * LEAST)
    return [draw(chance.randint(1, 60)) for _ in range(12)] + [start + draw(chance.randint(1, 20)) for _ in range(8)]


def writers(backend: Any) -> list[Writer]:
    ends = frozenset({backend.published["eos_token_id"]})
    return [Writer(ids, 1 + number % 9 * 3, ends) for number, ids in enumerate(prompts(backend))]


def decode(decoder: Decoder) -> int:
    """Run until nothing is left and return the number of steps."""
    steps = 0
    with torch.inference_mode():
        while decoder.waiting or decoder.active:
            decoder.step()
            steps += 1
    return steps


@pytest.mark.parametrize("family", FAMILIES)
def test_every_row_gets_the_tokens_it_gets_alone(hf: Open, family: str) -> None:
    backend = hf(family)
    rows = writers(backend)
    expected = [generate(backend, row.ids, max_new_tokens=row.most, do_sample=False) for row in rows]
    steps = []
    for tokens in (1, 200, 10_000):
        for row in rows:
            row.begin_again()
        decoder = Decoder(backend.model, tokens)
        decoder.add(rows)
        steps.append(decode(decoder))
        assert [row.new for row in rows] == expected
    assert steps[0] == sum(len(row.new) for row in rows)  # one after the other
    assert steps[2] <= max(len(row.new) for row in rows) + 1  # all together


def test_what_prompts_share_is_read_once(hf: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    run = Decoder._run

    def counting(self: Decoder, cache: Any, tokens: Sequence[int], *more: Any) -> Any:
        read.append(len(tokens))
        return run(self, cache, tokens, *more)

    monkeypatch.setattr(Decoder, "_run", counting)
    backend = hf("llama")
    rows = writers(backend)[12:]
    decoder = Decoder(backend.model, 10_000)
    decoder.add(rows)
    decode(decoder)
    own = sum(len(row.ids) - 2 * LEAST for row in rows)
    assert sum(read) == 2 * LEAST + own + sum(len(row.new) - 1 for row in rows)
    later = Writer([*rows[0].ids[: 2 * LEAST], 5, 6], 2, frozenset())
    read.clear()
    decoder.add([later])
    decode(decoder)
    assert sum(read) == 3  # two tokens of its own, and one written


def test_what_prompts_share_is_known_where_they_come_one_by_one(hf: Open) -> None:
    backend = hf("llama")
    rows = writers(backend)[12:]
    decoder = Decoder(backend.model, 10_000)
    for row in rows:
        decoder.add([row])
        decode(decoder)
    assert [row.behind for row in rows] == [0, *[2 * LEAST] * 7]
    assert [row.new for row in rows] == [
        generate(backend, row.ids, max_new_tokens=row.most, do_sample=False) for row in rows
    ]


def test_what_is_kept_of_prefixes_is_bounded(hf: Open) -> None:
    backend = hf("llama")
    chance, size = random.Random(1), backend.config.vocab_size
    for tokens in (10_000, 8 * LEAST):
        decoder = Decoder(backend.model, tokens)
        for _ in range(KEPT + 2):
            start = [chance.randrange(size) for _ in range(2 * LEAST)]
            decoder.add([Writer([*start, last], 2, frozenset()) for last in (1, 2)])
            decode(decoder)
        kept = [len(one) for one in decoder._prefixes]
        assert len(kept) == min(KEPT, tokens // 2 // (2 * LEAST))


def test_rows_join_while_others_write(hf: Open) -> None:
    backend = hf("llama")
    first, second = writers(backend)[:2]
    first.most, second.most = 12, 5
    alone = [generate(backend, row.ids, max_new_tokens=row.most, do_sample=False) for row in (first, second)]
    decoder = Decoder(backend.model, 10_000)
    decoder.add([first])
    with torch.inference_mode():
        for _ in range(4):
            decoder.step()
        decoder.add([second])
    decode(decoder)
    assert [first.new, second.new] == alone


@pytest.mark.parametrize("seed", range(3))
def test_memory_that_runs_out_loses_no_row_and_changes_no_token(
    hf: Open, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    backend = hf("llama")
    requests = [ask(f"Tell me of {number}!" * (1 + number % 4), max_new_tokens=3 + number % 7) for number in range(24)]
    undisturbed = [answer.text for answer in backend.complete(requests)]
    chance, run = random.Random(seed), Decoder._run
    planted = 0

    def failing(self: Decoder, *given: Any) -> Any:
        nonlocal planted
        if len(self.active) > 1 and chance.random() < 0.4:
            planted += 1
            raise torch.OutOfMemoryError
        return run(self, *given)

    monkeypatch.setattr(Decoder, "_run", failing)
    assert [answer.text for answer in backend.complete(requests)] == undisturbed
    assert planted


def test_a_row_that_does_not_fit_by_itself_fails_alone(hf: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Decoder._run

    def failing(self: Decoder, cache: Any, tokens: Sequence[int], *more: Any) -> Any:
        if any(len(row.ids) > 60 for row in self.active):
            raise MemoryError
        return run(self, cache, tokens, *more)

    monkeypatch.setattr(Decoder, "_run", failing)
    long, short = hf("llama").complete([ask("a b c " * 40, max_new_tokens=2), ask("a", max_new_tokens=2)])
    assert isinstance(long, Failure)
    assert long.type == "out_of_memory"
    assert isinstance(short, Completion)


def test_a_session_answers_as_rows_are_done(hf: Open) -> None:
    with hf("llama").open() as session:
        session.put("long", ask("Hello", max_new_tokens=20))
        session.put("short", ask("Hello", max_new_tokens=2))
        assert [session.get()[0] for _ in range(2)] == ["short", "long"]


def test_what_is_more_than_choosing_tokens_one_by_one_is_left_to_generate(hf: Open) -> None:
    backend = hf("llama")
    requests = ask("a"), ask("a", temperature=1.0), ask("a", num_beams=2)
    assert [backend.prompt(0, request).plain for request in requests] == [True, True, False]


class Bent(torch.nn.Module):
    """A model that reads a packed batch otherwise."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model, self.config, self.device = model, model.config, model.device

    def forward(self, input_ids: Any, **given: Any) -> Any:
        output = self.model(input_ids=input_ids, **given)
        if "logits_to_keep" in given:
            output.logits = -output.logits
        return output


def test_a_model_that_reads_a_packed_batch_otherwise_is_found_out(hf: Open) -> None:
    backend: HFBackend = hf("llama")
    assert suits(backend.model)
    assert not suits(Bent(backend.model))
    assert not hf("llama", attention="eager").decodes


@pytest.mark.parametrize(
    ("first", "second", "length"),
    [
        ([1, 2, 3], [1, 2, 3], 2),
        ([1, 2, 3], [1, 2, 4, 5], 2),
        ([1], [1], 0),
        ([1, 2], [2, 1], 0),
        ([1, 2, 3, 4], [1], 0),
    ],
)
def test_what_two_prompts_have_in_common(first: list[int], second: list[int], length: int) -> None:
    assert common(first, second) == length


def test_what_saves_most_is_shared() -> None:
    ids = [*range(200)]
    assert shared(ids, [[*range(150), 0], [*range(150), 1]]) == 150
    assert shared(ids, [[*range(190), 0], *([*range(100), n] for n in range(9))]) == 100
    assert shared(ids, [[*range(LEAST - 1), 0]]) == 0
    assert shared(ids, []) == 0
    assert shared(ids, [[*range(150), 0]], known=100) == 0  # to read 150 once more would save 100
    assert shared(ids, [[*range(150), 0], [*range(150), 1], [*range(150), 2]], known=100) == 150
