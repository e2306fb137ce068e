"""Cache and deduplication: backends around a backend, with the same contract."""

from __future__ import annotations

import logging
import random
import sqlite3
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlptasks import Backend, Completion, Delta, Failure, Request, Usage
from nlptasks.backends.base import Answer, warn_once
from nlptasks.backends.cached import Cached, Store, cache_file, cache_info, clear_cache
from nlptasks.backends.dedupe import Dedupe
from nlptasks.backends.factory import BackendFactory
from nlptasks.backends.guarded import Guarded, Guards
from nlptasks.plugin import PluginManager
from tests.backends.scripted import Recording, Reordering, request, shout, text_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "completions.sqlite"


def texts(answers: Sequence[Answer]) -> list[str]:
    return [answer.text if isinstance(answer, Completion) else answer.message for answer in answers]


def drain(backend: Backend, requests: Sequence[Request]) -> list[tuple[int, Answer]]:
    """Put while there is room and work, else get, as an engine does."""
    waiting, answers = deque(enumerate(requests)), []
    with backend.open() as session:
        held = 0
        while waiting or held:
            while waiting and session.room > 0:
                session.put(*waiting.popleft())
                held += 1
            answers.append(session.get())
            held -= 1
    return answers


def test_a_completion_is_kept_and_a_failure_is_not(file: Path) -> None:
    inner = Recording()
    asked = [request("ja"), request("bad"), request("好")]
    with Cached(inner, Store(file)) as backend:
        assert texts(backend.complete(asked)) == ["JA", "no answer to bad", "好"]
        assert not any(isinstance(one, Completion) and one.cached for one in backend.complete(asked[:0]))
    with Cached(inner, Store(file)) as backend:
        again = backend.complete(asked)
    assert texts(again) == ["JA", "no answer to bad", "好"]
    assert [isinstance(one, Completion) and one.cached for one in again] == [True, False, True]
    assert [text_of(one) for one in inner.received] == ["ja", "bad", "好", "bad"]


def test_what_is_kept_comes_back_whole(file: Path) -> None:
    whole = Completion(
        "x \ud83d\0", "y", "length", Usage(3, 4), {"score": 0.5, "alternatives": [{"text": "z"}]}, False, 1.5
    )
    with Cached(Recording(lambda _: whole), Store(file)) as backend:
        assert backend.complete([request("a")]) == [whole]
        assert backend.complete([request("a")]) == [replace(whole, cached=True)]


@pytest.mark.parametrize(
    "other",
    [
        request("b"),
        replace(request("a"), fields={"text": "a", "source_lang": "de"}),
        replace(request("a"), task="chat"),
        replace(request("a"), epoch=1),
        replace(request("a"), schema={"type": "object"}),
        replace(request("a"), continuation="a"),
        replace(request("a"), messages=(replace(request("a").messages[0], images=(b"\0",)),)),
        request("a", max_new_tokens=5),
        request("a", temperature=0.5, seed=1),
        request("a", extra={"no_repeat_ngram_size": 3}),
    ],
    ids=lambda one: str(one)[-150:],
)
def test_the_key_covers_all_of_a_request(other: Request, file: Path) -> None:
    backend = Cached(Recording(), Store(file))
    assert backend.key(other) != backend.key(request("a"))
    backend.complete([request("a")])
    [answer] = backend.complete([other])
    assert isinstance(answer, Completion)
    assert not answer.cached
    backend.close()


def test_another_backend_has_its_own_completions(file: Path) -> None:
    with Cached(Recording(name="one"), Store(file)) as backend:
        backend.complete([request("a")])
    other = Recording(lambda _: Completion("other"), name="two")
    with Cached(other, Store(file)) as backend:
        assert texts(backend.complete([request("a")])) == ["other"]


def test_a_hit_streams_as_one_delta(file: Path) -> None:
    inner = Recording(lambda one: Completion(text_of(one).upper(), reasoning="hm"))
    with Cached(inner, Store(file)) as backend:
        first = list(backend.stream(request("ab")))
        again = list(backend.stream(request("ab")))
    assert first == [Delta("A"), Delta("B"), Completion("AB", "hm")]
    assert again == [Delta("AB", "hm"), Completion("AB", "hm", cached=True)]
    assert len(inner.received) == 1
    with Cached(Recording(), Store(file)) as backend:
        assert list(backend.stream(request("bad"))) == [Failure("scripted", "no answer to bad")]
        assert texts(backend.complete([request("ab")])) == ["AB"]


def test_what_has_no_fixed_form_is_answered_and_not_kept(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    warn_once.cache_clear()
    odd = request("a", extra={"prefix_allowed_tokens_fn": len})
    inner = Recording(lambda one: Completion("x", data={"object": object()} if text_of(one) == "b" else {}))
    backend = Dedupe(Cached(inner, Store(file)))
    with caplog.at_level(logging.WARNING, "nlptasks"), backend:
        assert texts(backend.complete([odd, odd, request("b"), request("c", seed=1)])) == ["x"] * 4
        assert list(backend.stream(odd))[-1] == Completion("x")
    assert len(inner.received) == 5
    [message] = caplog.messages
    assert message.startswith("Some answers cannot be kept in the cache: ")
    store = Store(file)
    assert store.count() == 1
    store.close()


def damage(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"no database at all" * 500)


def take_the_folder(file: Path) -> None:
    file.parent.write_text("a file where the folder should be")


@pytest.mark.parametrize("spoil", [damage, take_the_folder])
def test_a_cache_that_cannot_be_used_is_warned_of_once(
    spoil: Callable[[Path], None], file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spoil(file)
    with caplog.at_level(logging.WARNING, "nlptasks"), Cached(Recording(), Store(file)) as backend:
        assert texts(backend.complete([request("a"), request("b")])) == ["A", "B"]
        assert texts(backend.complete([request("a")])) == ["A"]
    [message] = caplog.messages
    assert message.startswith(f"Going on without the cache {file}: ")
    assert message.endswith("nlptasks cache clear")


def test_a_cache_that_cannot_be_written_still_answers(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Cached(Recording(), Store(file)) as backend:
        backend.complete([request("a")])
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("DROP TABLE completions")
    other.execute("CREATE VIEW completions AS SELECT 'k' AS key, 'v' AS value")
    with caplog.at_level(logging.WARNING, "nlptasks"), Cached(Recording(), Store(file)) as backend:
        assert texts(backend.complete([request("a")])) == ["A"]
    assert len(caplog.messages) == 1
    other.close()


@pytest.mark.parametrize("value", ["", "no JSON", "[]", "{}", '{"text": "x", "usage": {"lost": 1}}', '{"usage": {}}'])
def test_an_entry_of_another_version_is_a_miss(value: str, file: Path) -> None:
    with Cached(Recording(), Store(file)) as backend:
        backend.complete([request("a")])
        with sqlite3.connect(file) as other:
            other.execute("UPDATE completions SET value = ?", [value])
        other.close()
        [answer] = backend.complete([request("a")])
        assert answer == Completion("A")
        [answer] = backend.complete([request("a")])
        assert answer == Completion("A", cached=True)


WRITER = """
import sys
from pathlib import Path
from nlptasks import Completion
from nlptasks.backends.cached import Store
for start in range(15):
    store = Store(Path(sys.argv[1]))
    for number in range(20):
        store.put(f"{sys.argv[2]}-{start}-{number}", Completion(sys.argv[2]))
        assert store.get(f"{sys.argv[2]}-{start}-{number}").text == sys.argv[2]
    store.close()
"""


def test_processes_share_the_file(file: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(file), name], stderr=subprocess.PIPE) for name in "abc"
    ]
    ends = [(writer.communicate()[1].decode(), writer.returncode) for writer in writers]
    assert ends == [("", 0)] * 3
    store = Store(file)
    assert store.count() == 3 * 15 * 20
    store.close()


def test_the_users_cache_is_shown_and_emptied() -> None:
    assert cache_info().completions == 0
    assert not cache_file().exists()
    for _ in range(2):
        with BackendFactory("echo", cache=cache_file()).build() as backend:
            answers = backend.complete([request("a"), request("b")])
    assert [one.cached for one in answers if isinstance(one, Completion)] == [True, True]
    info = cache_info()
    assert (info.completions, info.path) == (2, cache_file())
    assert info.bytes > 0
    assert clear_cache() == info.bytes
    assert cache_info().bytes == clear_cache() == 0


def test_the_same_request_is_asked_once_while_it_is_under_way() -> None:
    inner = Recording(batch_size=10)
    asked = [request("a"), request("b"), request("a"), request("bad"), request("a"), request("bad")]
    answers = drain(Dedupe(inner), asked)
    assert sorted(key for key, _ in answers) == [0, 1, 2, 3, 4, 5]
    assert texts([answer for _, answer in sorted(answers, key=lambda one: one[0])]) == (
        ["A", "B", "A", "no answer to bad", "A", "no answer to bad"]
    )
    assert [text_of(one) for one in inner.received] == ["a", "b", "bad"]


@pytest.mark.parametrize(
    ("config", "epochs", "times"),
    [
        ({}, (0, 0), 1),
        ({}, (0, 1), 2),
        ({"temperature": 0.7}, (0, 0), 2),
        ({"temperature": 0.7, "seed": 3}, (0, 0), 1),
        ({"extra": {"do_sample": True}}, (0, 0), 2),
        ({"extra": {"do_sample": True}, "seed": 3}, (0, 0), 1),
    ],
)
def test_only_what_repeats_is_shared(config: dict[str, Any], epochs: tuple[int, int], times: int) -> None:
    inner = Recording()
    Dedupe(inner).complete([replace(request("a", **config), epoch=epoch) for epoch in epochs])
    assert len(inner.received) == times


def test_an_answered_request_is_asked_anew() -> None:
    inner = Recording(batch_size=1)
    with Dedupe(inner).open() as session:
        for key in (1, 2):
            session.put(key, request("a"))
            assert session.get() == (key, Completion("A"))
    assert len(inner.received) == 2


def test_wrappers_pass_on_what_a_backend_says_of_itself(file: Path) -> None:
    inner = Recording(batch_size=7)
    inner.tasks = frozenset({"chat"})
    backend = Guarded(Dedupe(Cached(inner, Store(file))), Guards(PluginManager(only=[])))
    assert backend.identity() == {"backend": "recording"}
    assert backend.batch_size == 7
    assert "does chat only" in str(backend.refusal("translation"))
    assert backend.refusal("chat") is None
    assert list(backend.stream(request("ab")))[-1] == Completion("AB")
    backend.close()


WRAPS: dict[str, Callable[[Backend, Path], Backend]] = {
    "cache": lambda inner, file: Cached(inner, Store(file)),
    "dedupe": lambda inner, file: Dedupe(inner),
    "guard": lambda inner, file: Guarded(inner, Guards(PluginManager(only=[]))),
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.sampled_from([*WRAPS]), max_size=4),
    asked=st.lists(
        st.builds(
            lambda text, heat: request(text, temperature=heat),
            st.sampled_from(["a", "b", "c", "bad", "bad luck", "好"]),
            st.sampled_from([0.0, 0.0, 0.9]),
        ),
        max_size=150,
    ),
    seed=st.integers(0, 1000),
    room=st.integers(1, 9),
)
def test_any_composition_answers_each_request_once(
    names: list[str], asked: list[Request], seed: int, room: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    chance = random.Random(seed)
    inner: Backend = Reordering(chance, room=room) if seed % 2 else Recording(batch_size=room)
    backend = inner
    for name in names:
        backend = WRAPS[name](backend, tmp_path_factory.mktemp("cache") / "file.sqlite")
    expected = [shout(one) for one in asked]
    with backend:
        answers = drain(backend, asked)
        assert Counter(key for key, _ in answers) == Counter(range(len(asked)))
        for key, answer in answers:
            assert texts([answer]) == texts([expected[key]])
        assert texts(backend.complete(asked)) == texts(expected)
        for one, wanted in zip(asked[:5], expected[:5], strict=True):
            *deltas, last = backend.stream(one)
            assert texts([last]) == texts([wanted])  # type: ignore[list-item]
            assert "".join(delta.text for delta in deltas) == (wanted.text if isinstance(wanted, Completion) else "")  # type: ignore[union-attr]
