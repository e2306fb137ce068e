"""Guards: what leaves the process, what is kept on disk, and that a guard in trouble lets nothing through."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nlptasks import Backend, Completion, Delta, Failure, Request
from nlptasks.backends.cached import Cached, Store
from nlptasks.backends.dedupe import Dedupe
from nlptasks.backends.guarded import Guarded, GuardError
from tests.backends.conftest import Plug
from tests.backends.scripted import Recording, request, text_of
from tests.support import Cli

SECRET = "DE-4711"
REDACTING = """
    import re
    from dataclasses import replace
    from nlptasks import hookimpl

    @hookimpl
    def before_generate(request):
        found = []
        def hide(match):
            found.append(match[0])
            return f"<ID{len(found)}>"
        return request.map_text(lambda text: re.sub(r"[A-Z]{2}-\\d+", hide, text)), found

    @hookimpl
    def after_generate(completion, state):
        def show(text):
            return re.sub(r"<ID(\\d+)>", lambda match: state[int(match[1]) - 1], text)
        data = {**completion.data}
        if "alternatives" in data:
            data["alternatives"] = [{"text": show(one["text"])} for one in data["alternatives"]]
        return replace(completion, text=show(completion.text), reasoning=show(completion.reasoning), data=data)
"""
NOTING = """
    from dataclasses import replace
    from nlptasks import hookimpl

    @hookimpl
    def before_generate(request):
        print("NAME at work")
        return request.map_text(lambda text: text + " >NAME"), {"of": "NAME"}

    @hookimpl
    def after_generate(completion, state):
        assert state == {"of": "NAME"}
        return replace(completion, text=completion.text + " <NAME")
"""
AFTER_ONLY = """
    from dataclasses import replace
    from nlptasks import hookimpl

    @hookimpl
    def after_generate(completion, state):
        return replace(completion, text=f"{completion.text} <last {state}")
"""


def both_ways(backend: Backend, asked: Request) -> list[Any]:
    """Ask in a session and as a stream; what a stream shows must be what it ends with."""
    [answer] = backend.complete([asked])
    *deltas, last = backend.stream(asked)
    if isinstance(last, Completion):
        assert deltas == [Delta(last.text, last.reasoning)]
    else:
        assert deltas == []
    return [answer, last]


def test_guards_nest(plug: Plug, capsys: pytest.CaptureFixture[str]) -> None:
    inner = Recording(lambda one: Completion(text_of(one)))
    backend = Guarded(inner, plug(a=NOTING, b=NOTING, c=AFTER_ONLY))
    for answer in both_ways(backend, request("x")):
        assert answer == Completion("x >b >a <a <b <last None")
    assert {text_of(one) for one in inner.received} == {"x >b >a"}
    assert all(one.fields["text"] == "x >b >a" for one in inner.received)
    told = capsys.readouterr()
    assert told.out == ""
    assert "a at work\n" in told.err


def test_what_was_hidden_is_shown_again_everywhere(plug: Plug) -> None:
    def says(one: Request) -> Completion:
        text = text_of(one)
        return Completion(f"re {text}", reasoning=f"hm {text}", data={"alternatives": [{"text": f"or {text}"}]})

    inner = Recording(says)
    for answer in both_ways(Guarded(inner, plug(redact=REDACTING)), request(f"about {SECRET}")):
        assert answer == Completion(
            f"re about {SECRET}",
            reasoning=f"hm about {SECRET}",
            data={"alternatives": [{"text": f"or about {SECRET}"}]},
        )
    assert inner.received
    assert SECRET not in str(inner.received)


def test_a_kept_completion_is_restored_for_another_user(plug: Plug, tmp_path: Path) -> None:
    inner = Recording(lambda one: Completion(text_of(one)))
    kept = Dedupe(Cached(inner, Store(tmp_path / "cache.sqlite")))
    with Guarded(kept, plug(redact=REDACTING)) as backend:
        answers = backend.complete([request("call AB-1"), request("call CD-2"), request("call AB-1")])
        assert [one.text for one in answers if isinstance(one, Completion)] == ["call AB-1", "call CD-2", "call AB-1"]
        assert list(backend.stream(request("call EF-3")))[-1] == Completion("call EF-3", cached=True)
    assert [text_of(one) for one in inner.received] == ["call <ID1>"]
    assert b"AB-1" not in (tmp_path / "cache.sqlite").read_bytes()


def test_tokens_are_counted_of_what_would_be_sent(plug: Plug) -> None:
    inner = Recording()
    assert Guarded(inner, plug(redact=REDACTING)).limits().count(request(f"about {SECRET}")) == 1
    assert [text_of(one) for one in inner.received] == ["about <ID1>"]


BEFORE = """
    import sys
    from nlptasks import hookimpl

    class Panic(BaseException): pass

    @hookimpl
    def before_generate(request):
        text = request.messages[-1].content
        TROUBLE
"""
AFTER = """
    from nlptasks import hookimpl

    @hookimpl
    def after_generate(completion, state):
        text = completion.text
        TROUBLE
"""
TROUBLES = {
    "raise ValueError(f'cannot read {text}')": "raised ValueError in guard_bad.py, line ",
    "raise SystemExit(text)": "raised SystemExit in guard_bad.py, line ",
    "{}[text]": "raised KeyError in guard_bad.py, line ",
    "return None": "returned no ",
    "return text": "returned no ",
    "return text, None": "returned no ",
    "return request, None, None": "returned no ",
}


@pytest.mark.parametrize("others", [{}, {"first": REDACTING}, {"zlast": REDACTING}], ids=["alone", "below", "above"])
@pytest.mark.parametrize(
    ("trouble", "message"), [*TROUBLES.items(), ("raise Panic(text)", "raised Panic in guard_bad.py")]
)
def test_nothing_is_sent_when_a_guard_fails(trouble: str, message: str, others: dict[str, str], plug: Plug) -> None:
    inner = Recording()
    backend = Guarded(inner, plug(bad=BEFORE.replace("TROUBLE", trouble), **others))
    for answer in both_ways(backend, request(f"about {SECRET}")):
        assert isinstance(answer, Failure)
        assert (answer.type, answer.retryable) == ("guard", False)
        assert (
            f"The guard of plugin 'guard_bad' ({Path(sys.modules['guard_bad'].__file__ or '')}) {message}"
            in answer.message
        )
        assert SECRET not in answer.message
    with pytest.raises(GuardError) as caught:
        backend.limits().count(request(SECRET))
    assert SECRET not in str(caught.value)
    assert inner.received == []


@pytest.mark.parametrize(("trouble", "message"), [*TROUBLES.items()][:5])
def test_nothing_is_shown_when_a_guard_fails_after_the_answer(trouble: str, message: str, plug: Plug) -> None:
    backend = Guarded(Recording(lambda one: Completion(SECRET)), plug(bad=AFTER.replace("TROUBLE", trouble)))
    for answer in both_ways(backend, request("x")):
        assert isinstance(answer, Failure)
        assert message in answer.message
        assert SECRET not in answer.message


def test_one_guarded_failure_leaves_its_neighbours_alone(plug: Plug) -> None:
    inner = Recording(batch_size=3)
    backend = Guarded(
        inner, plug(bad=BEFORE.replace("TROUBLE", "assert 'no' not in text\n        return request, None"))
    )
    answers = backend.complete([request("no" if number % 3 else f"x{number}") for number in range(200)])
    assert [isinstance(one, Failure) for one in answers] == [bool(number % 3) for number in range(200)]
    assert len(inner.received) == 67


def test_an_interrupt_is_no_failure(plug: Plug) -> None:
    backend = Guarded(Recording(), plug(bad=BEFORE.replace("TROUBLE", "raise KeyboardInterrupt")))
    with pytest.raises(KeyboardInterrupt):
        backend.complete([request("x")])


def test_a_stream_cut_short_gives_no_answer(plug: Plug) -> None:
    class Cut(Recording):
        def stream(self, request: Request) -> Iterator[Delta]:
            yield Delta("half")

    assert list(Guarded(Cut(), plug(redact=REDACTING)).stream(request("x"))) == []


def test_what_is_kept_is_redacted_text_by_text(plug: Plug) -> None:
    value = {"a": [SECRET, {"b": f"x {SECRET}", "c": 1}, ("y", None)], "d": b"z", "e": 0.5}
    assert plug(redact=REDACTING).redact(value) == {
        "a": ["<ID1>", {"b": "x <ID2>", "c": 1}, ["y", None]],
        "d": b"z",
        "e": 0.5,
    }
    assert plug().redact(value) is value
    numbers = plug(numbers=REDACTING.replace("[A-Z]{2}-\\d+", "\\d{8}"))
    assert numbers.redact([12345678, 1234567, 0.12345678, True]) == ["<ID1>", 1234567, 0.12345678, True]
    adding = "from nlptasks import *\n@hookimpl\ndef before_generate(request):\n    raise IndexError"
    assert plug(empty=adding).redact({"n": 1}) == {"n": 1}
    more = """
    from dataclasses import replace
    from nlptasks import hookimpl

    @hookimpl
    def before_generate(request):
        return replace(request, messages=request.messages * 2), None
    """
    with pytest.raises(GuardError, match="changed the number of messages"):
        plug(more=more).redact([SECRET])


def test_a_failure_is_told_without_what_it_quotes(plug: Plug) -> None:
    guards = plug(redact=REDACTING)
    assert guards.tell(Failure("sample", f"no sense in {SECRET}")) == "no sense in <ID1>"
    failing = plug(bad=BEFORE.replace("TROUBLE", "raise ValueError(text)"))
    told = failing.tell(Failure("sample", f"no sense in {SECRET}"))
    assert "guard_bad" in told
    assert SECRET not in told
    assert plug().tell(Failure("sample", SECRET)) == SECRET
    assert failing.tell(Failure("guard", "as it is")) == "as it is"


def installed(folder: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a plugin ``privacy`` for the processes of a test."""
    info = folder / "site" / "privacy_guard-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: privacy-guard\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[nlptasks]\nprivacy = privacy_guard\n")
    (folder / "site" / "privacy_guard.py").write_text(textwrap.dedent(code))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder / "site"), os.environ.get("PYTHONPATH", "")]))


def written(*roots: Path) -> Iterator[tuple[Path, bytes]]:
    for root in roots:
        yield from ((file, file.read_bytes()) for file in root.rglob("*") if file.is_file())


def test_only_the_output_holds_what_was_hidden(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, REDACTING, monkeypatch)
    rows: list[dict[str, Any]] = [
        {"id": f"row {SECRET}", "prompt": f"call {SECRET} or AB-1"},
        {"id": 2, "prompt": {"not": SECRET}},
        {"id": 3, "prompt": f"call {SECRET} or AB-1", "reference": f"the answer is {SECRET}"},
    ]
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, rows)) + f"\n{{no json {SECRET}\n")
    base = ["run", "text-generation", "--model", "echo", "--cache"]
    done = cli(*base, "--input", "in.jsonl", "--output", "work/out.jsonl")
    assert done.code == 3
    assert SECRET not in done.err
    assert done.out == ""
    results = [json.loads(line) for line in (work / "out.jsonl").read_text().splitlines()]
    assert [row.get("prediction") for row in results] == [rows[0]["prompt"], None, rows[2]["prompt"], None]
    (work / "out.jsonl").unlink()
    done = cli(*base, f"call {SECRET} or AB-1")
    assert (done.code, done.out, done.err) == (0, f"call {SECRET} or AB-1\n", "")
    kept = dict(written(work, Path(os.environ["HOME"])))
    assert {"run.json", "samples.jsonl", "completions.sqlite"} <= {file.name for file in kept}
    assert b"call <ID1> or <ID2>" in b"".join(kept.values())
    assert [file for file, data in kept.items() if SECRET.encode() in data] == []


def test_a_guard_that_fails_stops_everything_and_tells_nothing(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, BEFORE.replace("TROUBLE", "raise ValueError(f'cannot read {text}')"), monkeypatch)
    done = cli("run", "text-generation", "--model", "echo", f"call {SECRET}")
    assert (done.code, done.out) == (1, "")
    [line] = done.err.splitlines()
    assert line.startswith(
        "error: The guard of plugin 'privacy' (privacy-guard 1.0) raised ValueError in privacy_guard.py"
    )
    assert line.endswith("; nothing was sent or shown.")
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "in.jsonl").write_text(json.dumps({"id": f"row {SECRET}", "prompt": f"call {SECRET}"}) + "\n")
    done = cli("run", "text-generation", "--model", "echo", "--cache", "-i", "in.jsonl", "-o", "work/out.jsonl")
    assert done.code == 3
    assert SECRET not in done.err + done.out
    (work / "out.jsonl").unlink()
    kept = dict(written(work, Path(os.environ["HOME"])))
    assert kept
    assert [file for file, data in kept.items() if SECRET.encode() in data] == []


QUOTING = """
    from nlptasks import Completion, GenerationOptions, Message, Request, Spec, Task
    from pydantic import BaseModel

    @hookimpl
    def register_tasks():
        return [Spec("quoting", __name__ + ":Quoting")]

    class Text(BaseModel):
        text: str

    class Quoting(Task[Text, GenerationOptions, Text]):
        name = "quoting"
        Input, Options, Output = Text, GenerationOptions, Text

        def prompt(self, sample, options):
            return Request((Message("user", sample.input.text),))

        def parse(self, sample, completion):
            raise ERROR(f"no sense in {completion.text}")
"""


def test_a_backend_of_ones_own_is_guarded_too(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, REDACTING, monkeypatch)
    code = """
        import nlptasks

        class Own(nlptasks.Backend):
            def complete(self, requests):
                assert "DE-4711" not in str(requests)
                return [nlptasks.Completion(one.messages[-1].content) for one in requests]

        print(nlptasks.task("text-generation", model=Own())("call DE-4711").text)
        """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "call DE-4711\n", "")
    (tmp_path / "nlptasks.toml").write_text('required_plugins = ["another"]\n')
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert "The required plugin 'another' is not in service" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("error", ["ValueError", "KeyError"])
def test_an_answer_quoted_in_an_error_is_redacted_on_stderr(
    error: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, REDACTING + QUOTING.replace("ERROR", error), monkeypatch)
    (tmp_path / "in.jsonl").write_text(json.dumps({"text": f"call {SECRET}"}) + "\n")
    for arguments in ([f"call {SECRET}"], ["-i", "in.jsonl"], ["-i", "in.jsonl", "-o", "out.jsonl"]):
        done = cli("run", "quoting", "--model", "echo", *arguments)
        assert done.code in (1, 3)
        assert "no sense in call <ID1>" in done.err
        assert SECRET not in done.err


@pytest.mark.parametrize(
    ("code", "environment", "switch_off", "why"),
    [
        ("raise ImportError('gone')", {}, False, "ImportError: gone"),
        (
            "def register_backends(): pass",
            {"NLPTASKS_PLUGINS": "chat"},
            False,
            "not installed, or left out by NLPTASKS_PLUGINS",
        ),
        (REDACTING, {}, True, "disabled"),
        (
            REDACTING + "\n    @hookimpl\n    def register_backends():\n        raise ValueError('later')\n",
            {},
            False,
            "ValueError: later",
        ),
    ],
)
def test_without_a_required_guard_nothing_runs(
    code: str,
    environment: dict[str, str],
    switch_off: bool,
    why: str,
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed(tmp_path, code, monkeypatch)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    if switch_off:
        assert cli("plugins", "disable", "privacy").code == 0
    (tmp_path / "nlptasks.toml").write_text('required_plugins = ["privacy"]\n')
    (tmp_path / "in.jsonl").write_text(json.dumps({"prompt": SECRET}) + "\n")
    message = f"error: The required plugin 'privacy' is not in service ({why}): nothing was run."
    for arguments in ([SECRET], ["--input", "in.jsonl"], ["--input", "in.jsonl", "--output", "out.jsonl"]):
        done = cli("run", "text-generation", "--model", "echo", *arguments)
        assert (done.code, done.out) == (1, "")
        assert done.err.splitlines()[-1] == message
    assert not (tmp_path / "out.jsonl").exists()
    assert not (tmp_path / "out.jsonl.run").exists()


def test_restored_answers_are_no_copies_of_what_is_inside(plug: Plug) -> None:
    shared = Completion("<ID1>", data={"alternatives": [{"text": "<ID1>"}]})
    backend = Guarded(Recording(lambda _: shared), plug(redact=REDACTING))
    [answer] = backend.complete([request(SECRET)])
    assert answer == replace(shared, text=SECRET, data={"alternatives": [{"text": SECRET}]})
    assert shared.data == {"alternatives": [{"text": "<ID1>"}]}
