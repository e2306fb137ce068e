"""Tokens that are drawn: as likely as the model says, and the same for a seed whoever else is in the batch."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
import torch

from nlptasks.backends.hf.decoding.sampling import Sampling, choose
from nlptasks.records import Completion, Delta, Request
from tests.backends.hf.conftest import Open, ask

DRAWS = 4000
SHARES = [0.05, 0.5, 0.3, 0.15]
SCORES = torch.tensor(SHARES).log()


@pytest.mark.parametrize(
    ("temperature", "top_p", "expected"),
    [
        (1.0, 1.0, SHARES),
        (0.5, 1.0, [0.0025 / 0.365, 0.25 / 0.365, 0.09 / 0.365, 0.0225 / 0.365]),
        (1.0, 0.7, [0, 0.5 / 0.8, 0.3 / 0.8, 0]),
        (1.0, 0.4, [0, 1, 0, 0]),
        (1.0, 0.0, [0, 1, 0, 0]),
        (1e-9, 1.0, [0, 1, 0, 0]),
    ],
)
def test_tokens_are_drawn_as_often_as_they_are_likely(temperature: float, top_p: float, expected: list[float]) -> None:
    row = Sampling(temperature, top_p, seed=1)
    drawn = Counter(choose(SCORES[None], [row])[0] for _ in range(DRAWS))
    for token, share in enumerate(expected):
        spread = (share * (1 - share) / DRAWS) ** 0.5
        assert abs(drawn[token] / DRAWS - share) <= 4 * spread


def test_each_row_of_a_batch_draws_for_itself() -> None:
    def rows() -> list[Sampling | None]:
        return [None, Sampling(1.0, 1.0, 5), Sampling(1.0, 0.9, 5), Sampling(2.0, 1.0, 6), None]

    scores = torch.randn(5, 50, generator=torch.Generator().manual_seed(0))
    together, alone = rows(), rows()
    for _ in range(20):
        separate = [choose(scores[at : at + 1], [row])[0] for at, row in enumerate(alone)]
        assert choose(scores, together) == separate
    assert choose(scores, [None] * 5) == scores.argmax(-1).tolist()


def test_without_a_seed_no_two_rows_draw_alike() -> None:
    seeds = {Sampling(1.0, 1.0, None).seed for _ in range(100)}
    assert len(seeds) == 100


def texts(backend: object, requests: list[Request]) -> list[str]:
    answers = backend.complete(requests)  # type: ignore[attr-defined]
    assert all(isinstance(answer, Completion) for answer in answers)
    return [answer.text for answer in answers]


def test_a_seed_repeats_in_any_batch_and_after_memory_ran_out(hf: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    from nlptasks.backends.hf.decoding.decoder import Decoder

    backend = hf("llama")
    requests = [ask(f"Hello {n}", temperature=1.0, top_p=0.9, seed=n, max_new_tokens=10) for n in range(8)]
    alone = [texts(backend, [request])[0] for request in requests]
    assert len(set(alone)) == len(alone)
    assert texts(backend, requests) == alone
    chance, run = random.Random(0), Decoder._run

    def failing(self: Decoder, *given: object) -> object:
        if len(self.active) > 1 and chance.random() < 0.3:
            raise torch.OutOfMemoryError
        return run(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Decoder, "_run", failing)
    assert texts(backend, requests) == alone


def test_a_session_shows_pieces_while_others_are_answered(hf: Open) -> None:
    shown: dict[str, list[Delta]] = {"greedy": [], "drawn": [], "beams": []}
    configs: dict[str, dict[str, Any]] = {
        "greedy": {},
        "drawn": {"temperature": 1.0, "seed": 3},
        "beams": {"num_beams": 2},
    }
    requests = {name: ask(f"Tell {name}", max_new_tokens=16, **config) for name, config in configs.items()}
    backend = hf("llama")
    expected = {name: texts(backend, [request])[0] for name, request in requests.items()}
    with backend.open() as session:
        for name, request in requests.items():
            session.stream(name, request, shown[name].append)
        session.put("silent", requests["greedy"])
        answers = dict(session.get() for _ in range(4))
    assert {name: answers[name].text for name in requests} == expected
    for name in ("greedy", "drawn"):
        told = "".join(delta.text for delta in shown[name])
        assert len(shown[name]) > 2
        assert expected[name].startswith(told)
    assert shown["beams"] == []


def test_a_dropped_request_leaves_its_room(hf: Open) -> None:
    with hf("llama").open() as session:
        room = session.room
        session.put("gone", ask("Hello", max_new_tokens=200))
        session.put("waits", ask("Hello", num_beams=2, max_new_tokens=4))
        session.put("stays", ask("Hello there", max_new_tokens=3))
        assert session.poll(0) is None or session.room < room
        assert session.drop("gone")
        assert session.drop("waits")
        assert not session.drop("gone")
        assert session.get()[0] == "stays"
        assert session.room == room
