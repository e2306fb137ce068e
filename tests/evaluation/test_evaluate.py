"""``nlptasks.evaluate``: what is asked, what is counted, and that nothing is done twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from nlptasks import Backend, Capability, Completion, Failure, Request
from nlptasks.errors import InputError, RunError, UnknownNameError
from nlptasks.evaluation.comparison import compare
from nlptasks.evaluation.evaluate import evaluate
from nlptasks.evaluation.scoring import score
from tests.conftest import Tiny
from tests.support import DATA, Cli


class Flaky(Backend):
    """Repeats the text, fails where it is bad, and keeps what it was asked."""

    capabilities = frozenset({Capability.CHAT})

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def complete(self, requests: Sequence[Request]) -> list[Completion | Failure]:
        self.asked += requests
        return [
            Failure("server", "it is down", retryable=True)
            if "bad" in request.fields.get("text", "")
            else Completion(request.fields.get("text", "ok"))
            for request in requests
        ]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write_rows(path: str, count: int, word: str = "Good") -> str:
    rows = [
        {
            "id": f"r{number}",
            "source": f"{word} morning number {number} to you",
            "target": f"Guten Morgen number {number} to you",
            "target_lang": "de",
        }
        for number in range(count)
    ]
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def read_rows(path: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]


def test_a_finished_run_is_not_done_again() -> None:
    data, backend = write_rows("in.jsonl", 4), Flaky()
    first, second = (evaluate("translation", data, model=backend) for _ in range(2))
    assert first == second
    assert len(backend.asked) == 4
    evaluate("translation", data, model=backend, overwrite=True)
    assert len(backend.asked) == 8


def test_failures_are_counted_not_scored_and_tried_again() -> None:
    data, backend = write_rows("in.jsonl", 5), Flaky()
    Path(data).write_text(Path(data).read_text().replace("Good morning number 3", "bad morning number 3"))
    for asked in (5, 6):
        scores = evaluate("translation", data, model=backend)
        assert (scores.counts["failed"], scores.counts["scored"], scores.results["bleu"].n) == (1, 4, 4)
        assert len(backend.asked) == asked
    assert scores.run
    assert score(scores.run).results == scores.results


def test_too_many_failures_stop_it() -> None:
    data = write_rows("in.jsonl", 50, "bad")
    with pytest.raises(RunError, match=r"6 of 50 samples failed, more than the 0.1"):
        evaluate("translation", data, model=Flaky(), max_error_rate=0.1, output="run")
    assert json.loads(Path("run/run.json").read_text())["status"] == "error"
    assert len(read_rows("run/predictions.jsonl")) == 6
    with pytest.raises(RunError, match="All 50 samples failed"):
        evaluate("translation", data, model=Flaky(), output="all")


def test_examples_come_from_the_data_and_are_not_tested() -> None:
    data, backend, again = write_rows("in.jsonl", 10), Flaky(), Flaky()
    scores = evaluate("translation", data, model=backend, shots=2)
    assert scores.counts["total"] == 8
    first = backend.asked[0].messages
    assert [turn.role for turn in first] == ["system", "user", "assistant", "user", "assistant", "user"]
    shown = first[1:5]
    assert all(request.messages[1:5] == shown for request in backend.asked)
    questions = {request.messages[-1].content for request in backend.asked}
    assert not questions & {turn.content for turn in shown}
    assert all(turn.content.startswith("Guten Morgen number") for turn in shown if turn.role == "assistant")
    evaluate("translation", data, model=again, shots=2, overwrite=True)
    assert again.asked == backend.asked


def test_examples_of_their_own_file_are_never_test_rows() -> None:
    data, backend = write_rows("in.jsonl", 10), Flaky()
    other = {"source": "Thanks a lot", "target": "Vielen Dank", "target_lang": "de"}
    Path("train.jsonl").write_text(Path(data).read_text() + json.dumps(other) + "\n")
    scores = evaluate("translation", data, model=backend, shots=1, shots_from="train.jsonl")
    assert scores.counts["total"] == 10
    assert {request.messages[2].content for request in backend.asked} == {"Vielen Dank"}
    with pytest.raises(InputError, match="1 examples to draw from, not 2"):
        evaluate("translation", data, model=backend, shots=2, shots_from="train.jsonl")


def test_every_task_shows_its_own_examples() -> None:
    rows: dict[str, dict[str, Any]] = {
        "summarization": {"document": "A port opened in {n}. It is big.", "summary": "Port {n}."},
        "question-answering": {"context": "Built in {n}.", "question": "When?", "answers": ["{n}"]},
        "chat": {"messages": [{"role": "user", "content": "Say {n}"}], "reference": "{n}!"},
    }
    for task, row in rows.items():
        texts = [json.dumps({"id": str(n), **row}).replace("{n}", str(1800 + n)) for n in range(4)]
        Path(f"{task}.jsonl").write_text("\n".join(texts) + "\n")
        backend = Flaky()
        evaluate(task, f"{task}.jsonl", model=backend, shots=1)
        roles = [turn.role for turn in backend.asked[0].messages if turn.role != "system"]
        assert roles == ["user", "assistant", "user"], task
        assert "18" in next(turn.content for turn in backend.asked[0].messages if turn.role == "assistant")
        assert len(backend.asked) == 3


def test_examples_count_to_what_the_model_reads() -> None:
    class Small(Flaky):
        def limits(self) -> Any:
            from nlptasks import Limits

            return Limits(1700)

    text = " ".join(f"The port number {n} opened and it is big." for n in range(60))
    lines = [json.dumps({"document": f"{text} {n}", "summary": "A port."}) for n in range(2)]
    Path("in.jsonl").write_text("\n".join(lines) + "\n")
    alone, shown = Small(), Small()
    evaluate("summarization", "in.jsonl", model=alone, limit=1, output="alone")
    evaluate("summarization", "in.jsonl", model=shown, limit=1, shots=1, output="shown")
    assert len(alone.asked) == 1
    assert len(shown.asked) > 1  # read part by part, for want of room
    limits = Small().limits()
    assert all(limits.fits(request) for request in shown.asked)


def test_epochs_ask_again() -> None:
    data, backend = write_rows("in.jsonl", 3), Flaky()
    evaluate("translation", data, model=backend, epochs=2, output="run")
    assert sorted(request.epoch for request in backend.asked) == [0, 0, 0, 1, 1, 1]
    rows = read_rows("run/predictions.jsonl")
    assert [(row["id"], row["epoch"]) for row in rows] == [(f"r{n}", e) for n in range(3) for e in range(2)]


def test_an_epoch_makes_no_sample() -> None:
    data = write_rows("in.jsonl", 20)
    once = evaluate("translation", data, model=Flaky(), output="once").results["chrf"]
    often = evaluate("translation", data, model=Flaky(), epochs=3, output="often").results["chrf"]
    assert often.value == pytest.approx(once.value)
    assert often.n == 20
    assert often.stderr == pytest.approx(once.stderr, rel=0.15)
    difference = compare(["often", "often"]).pairs[0].differences["chrf"]
    assert (difference.n, difference.p_randomization) == (20, 1)


@pytest.mark.parametrize("answers", [[], [""], {"text": [], "answer_start": []}])
def test_questions_without_an_answer_are_scored_as_such_unless_told_otherwise(answers: Any) -> None:
    rows = [
        {"id": "1", "question": "Where is the ship?", "context": "The ship is in Bremen.", "answers": ["in Bremen"]},
        {"id": "2", "question": "Who sails it?", "context": "The ship is in Bremen.", "answers": answers},
    ]
    Path("qa.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    scores = evaluate("question-answering", "qa.jsonl", model="embedded", output="run")
    assert "squad_v2" in scores.results["f1"].signature
    assert {"HasAns_f1", "NoAns_f1"} <= scores.results.keys()
    assert (scores.counts["HasAns_total"], scores.counts["NoAns_total"]) == (1, 1)
    assert (scores.results["f1"].n, scores.results["HasAns_f1"].n, scores.results["NoAns_f1"].n) == (2, 1, 1)
    assert not any(name.endswith("total") for name in scores.results)
    assert json.loads(Path("run/run.json").read_text("utf-8"))["metrics"] == ["squad_v2"]
    assert score("run").results == scores.results
    assert score("question-answering", "run/predictions.jsonl").results == scores.results
    assert not any("total" in name for name in compare(["run", "run"]).pairs[0].differences)
    rows[1]["answers"] = ["nobody"]
    Path("qa.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert "|squad|" in "|" + evaluate("question-answering", "qa.jsonl", model="embedded").results["f1"].signature


def test_squads_own_file_is_read() -> None:
    question = {"id": "1", "question": "Where is the ship?", "answers": [{"text": "in Bremen", "answer_start": 12}]}
    paragraph = {"context": "The ship is in Bremen.", "qas": [question]}
    Path("dev.json").write_text(json.dumps({"data": [{"title": "Ships", "paragraphs": [paragraph]}]}), "utf-8")
    assert evaluate("question-answering", "dev.json", model="embedded").counts["scored"] == 1


def test_a_column_that_no_row_will_have_is_told_before_any_model_is_asked() -> None:
    data, backend = write_rows("in.jsonl", 3), Flaky()
    with pytest.raises(UnknownNameError, match="'nope'"):
        evaluate("translation", data, model=backend, by="nope")
    assert not backend.asked
    assert evaluate("translation", data, model=backend, by="truncated").groups.keys() == {"False"}


def test_answers_that_say_nothing_are_counted_as_empty() -> None:
    rows = [{"id": str(n), "question": "Who?", "context": "The ship.", "answers": ["it"]} for n in range(2)]
    Path("qa.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    scores = evaluate("question-answering", "qa.jsonl", model="embedded", min_score=1.0, output="run")
    assert (scores.counts["empty"], scores.counts["unanswered"]) == (2, 2)
    assert json.loads(Path("run/run.json").read_text("utf-8"))["counts"]["empty"] == 2


def test_a_run_remembers_its_judge() -> None:
    evaluate("translation", write_rows("in.jsonl", 2), model=Flaky(), judge="echo", output="run")
    assert "judge_failed" in score("run").results


GUARD = """
from dataclasses import replace
from nlptasks import hookimpl

SECRET, PLACEHOLDER = "+49 421 555", "<PHONE>"

@hookimpl
def before_generate(request):
    hidden = [replace(each, content=each.content.replace(SECRET, PLACEHOLDER)) for each in request.messages]
    fields = {name: text.replace(SECRET, PLACEHOLDER) for name, text in request.fields.items()}
    return replace(request, messages=tuple(hidden), fields=fields), None

@hookimpl
def after_generate(completion, state):
    return replace(completion, text=completion.text.replace(PLACEHOLDER, SECRET))
"""


def test_under_a_guard_the_run_directory_holds_guarded_text_only(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "hide.py").write_text(GUARD, "utf-8")
    row = {"id": "1", "source": "Call +49 421 555 now", "target": "Ruf +49 421 555 an", "target_lang": "de"}
    (tmp_path / "in.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    done = cli(
        *("--plugin-file", "hide.py", "eval", "translation", "--model", "echo", "--data", "in.jsonl"),
        *("--output", "run", "--json"),
    )
    assert done.code == 0, done.err
    files = [path.read_text("utf-8") for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert not any("555" in text for text in files)
    [kept] = read_rows(tmp_path / "run" / "predictions.jsonl")
    assert "<PHONE>" in kept["prediction"]
    assert kept["target"] == "Ruf <PHONE> an"


def test_both_turns_of_mt_bench_are_asked() -> None:
    row = {"question_id": 81, "category": "writing", "turns": ["Write a poem.", "Shorten it."]}
    Path("question.jsonl").write_text(json.dumps(row) + "\n")
    backend = Flaky()
    scores = evaluate("chat", "mt_bench=question.jsonl", model=backend)
    assert [turn.content for turn in backend.asked[1].messages if turn.role != "system"] == [
        "Write a poem.",
        "Write a poem.",
        "Shorten it.",
    ]
    assert "distinct_1" in scores.results


def test_perplexity_needs_no_references(tiny: Tiny) -> None:
    Path("test.jsonl").write_text('{"text": ""}\n{"text": " The port opened in 1842. "}\n')
    scores = evaluate("loglikelihood", "wikitext2=test.jsonl", model=f"hf/{tiny('gpt2')}", dtype="float32")
    assert scores.counts["total"] == 1
    assert scores.results["perplexity"].value > 1


@pytest.mark.parametrize(
    ("task", "name", "model"),
    [
        ("summarization", "csl_zh/summarization.zh.jsonl", "embedded"),
        ("question-answering", "xquad_de/question-answering.de.jsonl", "embedded"),
        ("translation", "multi30k_en-de/translation.en-de.jsonl", "tiny"),
    ],
)
def test_real_data(task: str, name: str, model: str, tiny: Tiny) -> None:
    data = DATA / "bench" / name
    if not data.is_file():
        pytest.skip(f"no {data}: set NLPTASKS_TEST_DATA to the folder that holds bench/")
    options = {} if model == "embedded" else {"model": f"hf/{tiny('marian')}", "dtype": "float32", "max_new_tokens": 8}
    scores = evaluate(task, data, limit=12, **options)  # type: ignore[arg-type]
    assert scores.counts["total"] == 12
    assert scores.run
    assert all(one.n == scores.counts["scored"] for one in scores.results.values())
    assert score(scores.run).results == scores.results
