"""What a run remembers of how it is scored, and what is said where it cannot be read."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from nlptasks import Backend, Capability, Completion, Failure, Request
from nlptasks.errors import RunError
from nlptasks.evaluation.comparison import compare
from nlptasks.evaluation.evaluate import evaluate
from nlptasks.evaluation.metrics import choose
from nlptasks.evaluation.scoring import score
from nlptasks.metrics.llm_judge import LlmJudge
from tests.support import Cli

CHINESE = {"source": "The ferry leaves the harbour at noon", "target": "渡轮中午离开港口驶向大海"}
SECRET = "a telephone number: +49 421 555"


class Parrot(Backend):
    """Says one thing, whatever it is asked."""

    capabilities = frozenset({Capability.CHAT})

    def __init__(self, said: str) -> None:
        self.said = said

    def complete(self, requests: Sequence[Request]) -> list[Completion | Failure]:
        return [Completion(self.said) for _ in requests]


class Judge(Backend):
    """Rates each answer with its number; says nothing of use where there is none."""

    capabilities = frozenset({Capability.CHAT})

    def complete(self, requests: Sequence[Request]) -> list[Completion | Failure]:
        prompts = [request.messages[-1].content for request in requests]
        return [
            Completion(f"[[{text.split('RATE')[1][0]}]]" if "RATE" in text else "I would rather not.")
            for text in prompts
        ]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(path: str, *rows: dict[str, Any]) -> str:
    Path(path).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def saved(path: str) -> Any:
    return json.loads(Path(path, "run.json").read_text("utf-8"))


@pytest.mark.parametrize("given", ["zh", "Chinese"])
def test_a_language_that_stands_in_no_row_is_kept(given: str) -> None:
    data = write("in.jsonl", {**CHINESE, "target": "OK 123"}, {**CHINESE, "target_lang": "de"})
    defaults = {"target_lang": given}
    scores = evaluate("translation", data, model=Parrot("OK 123"), defaults=defaults, output="run")
    assert "tok:zh" in scores.results["bleu"].signature
    assert "tok:13a" in scores.results["bleu"].signature, "what a row says comes first"
    assert saved("run")["data"]["defaults"] == defaults
    assert score("run").results == scores.results
    other = evaluate("translation", data, model=Parrot("OK 123"), defaults={"target_lang": "ja"}, output="other")
    assert other.results != scores.results
    with pytest.raises(RunError, match=r"their data\.defaults differs"):
        compare(["run", "other"])


def test_other_defaults_are_known_by_their_digest_alone() -> None:
    row = {"question": "What is it?", "answers": ["it"]}
    evaluate("question-answering", [row], model="embedded", defaults={"context": SECRET}, output="run")
    assert saved("run")["data"]["defaults"]["context"].startswith("sha256:")


def test_the_language_to_score_in_is_kept(cli: Cli) -> None:
    write("in.jsonl", {"document": "The ferry is late.", "summary": "Ferry late."})
    done = cli(*"eval summarization --model echo --data in.jsonl --lang de --output run --json".split())
    assert done.code == 0, done.err
    found = json.loads(done.out)["results"]
    assert "lang:de" in found["rouge1"]["signature"]
    assert saved("run")["lang"] == "de"
    assert json.loads(json.dumps(score("run").to_dict()["results"])) == found
    assert "lang:en" in score("run", lang="en").results["rouge1"].signature
    assert "lang:de" in compare(["run", "run"]).pairs[0].differences["rouge1"].signature


def test_a_judge_is_asked_again_unless_another_is_named() -> None:
    data = write("in.jsonl", {**CHINESE, "target_lang": "zh"})
    first = evaluate("translation", data, model=Parrot("x"), judge="echo", output="run")
    assert score("run") == first
    assert "judge:echo" in first.results["judge_failed"].signature
    assert "judge:embedded" in score("run", judge="embedded").results["judge_failed"].signature
    [pair] = compare(["run", "run"], judge="embedded").pairs
    assert "judge:embedded" in pair.differences["judge_failed"].signature


def test_a_model_that_is_named_apart_comes_before_one_in_an_option() -> None:
    [judge] = choose("llm_judge:judge=echo:pairwise=true", judge="openai/gpt-4o-mini")
    assert vars(judge.build(None))["judge"] == "openai/gpt-4o-mini"
    assert judge.spelled == "llm_judge:pairwise=true:judge=openai/gpt-4o-mini"
    [encoder] = choose(["embedding_similarity:encoder=hf/a"], encoder="hf/b")
    assert encoder.spelled == "embedding_similarity:encoder=hf/b"


def test_a_sample_without_a_verdict_has_no_rating() -> None:
    rows = [
        {"id": str(number), "source": f"Say {number}", "target": word, "target_lang": "en"}
        for number, word in enumerate(["RATE5", "RATE5", "RATE5", "silence"])
    ]
    write("in.jsonl", *rows)
    metric = LlmJudge(judge=Judge())
    for name, better in (("a", {}), ("b", {"0": "RATE9"})):
        evaluate("translation", "in.jsonl", model="echo", metrics="chrf", output=name)
        kept = [json.loads(line) for line in Path(name, "predictions.jsonl").read_text("utf-8").splitlines()]
        write(f"{name}/predictions.jsonl", *[{**r, "prediction": better.get(r["id"], r["target"])} for r in kept])
    for run in ("a", "b"):
        Path(run, "predictions.jsonl").write_text(
            Path(run, "predictions.jsonl").read_text().replace('"target": "RATE5"', '"target": "none"')
        )
    [pair] = compare(["a", "b"], metrics=[metric]).pairs
    rating = pair.differences["llm_judge"]
    assert [rating.baseline, rating.value] == pytest.approx([50, (90 + 50 + 50) / 3])
    assert (rating.wins, rating.ties, rating.losses) == (1, 2, 0)
    assert [change.scores for change in pair.changes] == [(50, 90)]


@pytest.mark.parametrize("damage", [lambda text: text[:-20], lambda text: text.replace('"version": 1', '"version": 0')])
def test_advice_about_a_damaged_run_fits_what_is_being_done(cli: Cli, damage: Callable[[str], str]) -> None:
    data = write("in.jsonl", {**CHINESE, "target_lang": "zh"})
    evaluate("translation", data, model="echo", output="run")
    file = Path("run/run.json")
    file.write_text(damage(file.read_text("utf-8")), "utf-8")
    for looked_at in (lambda: score("run"), lambda: compare(["run", "run"])):
        with pytest.raises(RunError, match=r"Make the run again, or name another\.$") as told:
            looked_at()
        assert "--overwrite" not in str(told.value)
    shown = cli("runs", "show", "run")
    assert shown.code == 1
    assert "--overwrite" not in shown.err
    with pytest.raises(RunError, match=r"Use --overwrite to begin again, or another --output\.$"):
        evaluate("translation", data, model="echo", output="run")
    assert evaluate("translation", data, model="echo", output="run", overwrite=True).counts["total"] == 1


BROKEN_GUARD = f"""
from nlptasks import hookimpl

@hookimpl
def before_generate(request):
    if any("{SECRET}" in message.content for message in request.messages):
        raise ValueError("cannot hide {SECRET}")
    return request, None
"""


def test_what_a_guard_cannot_hide_is_not_kept(cli: Cli, tmp_path: Path) -> None:
    Path("guard.py").write_text(BROKEN_GUARD, "utf-8")
    good = {"id": "good", "source": "Good morning", "target": "Guten Morgen", "target_lang": "de"}
    write("in.jsonl", good, {**good, "id": "bad", "source": SECRET})
    done = cli(
        *("--plugin-file", "guard.py", "eval", "translation", "--model", "echo", "--data", "in.jsonl"),
        *("--output", "run", "--json"),
    )
    assert done.code == 3
    assert SECRET not in done.out + done.err
    assert not [path for path in Path("run").rglob("*") if path.is_file() and SECRET in path.read_text("utf-8")]
    rows = [json.loads(line) for line in Path("run/predictions.jsonl").read_text("utf-8").splitlines()]
    assert rows[0]["prediction"] == "Good morning"
    assert rows[1] == {
        "id": "bad",
        "prediction": None,
        "error": {"type": "guard", "message": "content withheld: GuardError"},
    }
    assert json.loads(done.out)["counts"]["failed"] == 1
