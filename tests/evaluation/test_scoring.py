"""Scores, their counts, groups and languages; and that more processes change nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlptasks.errors import InputError, RunError, UnknownNameError, UsageError
from nlptasks.evaluation import parallel
from nlptasks.evaluation.results import Scores
from nlptasks.evaluation.scoring import score
from nlptasks.metrics.bleu import Bleu
from nlptasks.metrics.rouge import Rouge
from nlptasks.metrics.squad_v2 import SquadV2
from tests.evaluation.numbers import Mean, Positive, Ratio

EN = [
    "The cat sat on the mat.",
    "A storm closed the old harbour for two days.",
    "Nobody came to the meeting on Monday.",
]
DE = ["Die Katze saß auf der Matte.", "Ein Sturm schloss den alten Hafen für zwei Tage.", "Niemand kam am Montag."]
ZH = ["猫坐在垫子上。", "一场风暴使旧港口关闭了两天。", "星期一没有人来开会。"]


def translations(predictions: Sequence[str], references: Sequence[str], lang: str) -> list[dict[str, Any]]:
    pairs = zip(predictions, references, strict=True)
    return [{"id": f"{lang}{n}", "prediction": p, "target": r, "lang": lang} for n, (p, r) in enumerate(pairs)]


def test_scores_have_everything_that_is_promised() -> None:
    found = score("summarization", [EN[0], EN[1], ""], EN, metrics="rouge")
    assert list(found.to_dict()) == ["results", "counts"]
    assert list(found.results) == ["rouge1", "rouge2", "rougeL", "rougeLsum"]
    one = json.loads(json.dumps(found.to_dict()))["results"]["rouge1"]
    assert list(one) == ["value", "stderr", "ci95", "n", "signature"]
    assert one["value"] == pytest.approx(200 / 3)
    assert one["n"] == 3
    assert one["ci95"][0] < one["value"] < one["ci95"][1]
    assert one["signature"].startswith("rouge|v:1|lang:en")
    assert found.counts == {"total": 3, "scored": 3, "failed": 0, "empty": 1, "unanswered": 1}
    assert "| rouge1 | 66.67 |" in found.to_markdown()
    assert found.to_pandas()["value"].tolist() == [score.value for score in found.results.values()]


def test_a_task_knows_its_metrics() -> None:
    assert list(score("translation", EN, EN).results) == ["bleu", "chrf"]
    assert list(score("question-answering", ["a"], ["a"]).results) == ["exact_match", "f1"]


def test_two_metrics_that_share_a_part_are_told_apart() -> None:
    found = score("chat", EN, EN, metrics="squad,exact_match,chrf,chrf:word_order=2").results
    assert list(found) == ["squad_exact_match", "f1", "exact_match", "chrf", "chrf:word_order=2"]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=1, max_size=30), st.randoms())
def test_the_order_of_rows_changes_no_score(numbers: list[int], random: Any) -> None:
    rows = [{"id": place, "prediction": str(number)} for place, number in enumerate(numbers)]
    before = score("chat", rows, metrics=[Mean(), Positive(), Ratio()]).results
    random.shuffle(rows)
    after = score("chat", rows, metrics=[Mean(), Positive(), Ratio()]).results
    assert before.keys() == after.keys()
    for name, one in before.items():
        assert after[name].value == pytest.approx(one.value)
        assert (after[name].ci95, after[name].stderr) == (one.ci95, one.stderr)


def test_each_row_is_scored_in_its_own_language() -> None:
    rows = [*translations(DE, DE[::-1], "de"), *translations(ZH, ZH, "zh")]
    mixed = score("translation", rows, by="lang", metrics="bleu")
    assert list(mixed.groups) == ["de", "zh"]
    for lang, part in (("de", rows[:3]), ("zh", rows[3:])):
        alone = score("translation", part, metrics="bleu", lang=lang)
        assert mixed.groups[lang] == alone.results
    assert mixed.groups["zh"]["bleu"].value == pytest.approx(100)
    assert "tok:13a" in mixed.groups["de"]["bleu"].signature
    assert "tok:13a" in mixed.results["bleu"].signature
    assert "tok:zh" in mixed.results["bleu"].signature
    assert list(mixed.to_dict()["groups"]) == ["de", "zh"]


def test_without_a_column_the_language_is_detected_and_an_option_comes_first() -> None:
    assert "lang:zh" in score("summarization", ZH, ZH, metrics="rouge").results["rouge1"].signature
    assert "lang:de" in score("summarization", ZH, ZH, metrics="rouge", lang="de").results["rouge1"].signature
    rows = translations(ZH, ZH, "en")
    assert "tok:13a" in score("translation", rows, metrics="bleu").results["bleu"].signature


@pytest.mark.parametrize(
    ("metric", "lang"),
    [(Rouge(lang="de"), "de"), (Bleu(lang="en"), "en"), (SquadV2(lang="zh"), "zh")],
    ids=["rouge", "bleu", "squad_v2"],
)
def test_more_processes_give_the_same_numbers(metric: Any, lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(5)
    words = "der alte Hafen old harbour 旧港口 war two Tage lang geschlossen closed".split()
    texts = [" ".join(random.choice(words, 6)) for _ in range(4001)]
    references = [[text, " ".join(random.choice(words, 6))][: 1 + n % 2] for n, text in enumerate(texts[::-1])]
    doubts = random.random(4001).tolist()
    columns = {"no_answer_score": doubts} if isinstance(metric, SquadV2) else {}
    monkeypatch.setattr(parallel, "cores", lambda: 3)
    found = parallel.statistics(metric, texts, references, columns)
    signature = metric.signature
    one = type(metric)(lang=lang)
    assert (found == one.statistics(texts, references, **columns)).all()
    assert signature == one.signature


@pytest.mark.parametrize("reason", ["one core", "threads", "no fork", "a model"])
def test_one_process_does_it_where_there_can_be_no_more(reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "cores", lambda: 1 if reason == "one core" else 2)
    monkeypatch.setattr(parallel, "ProcessPoolExecutor", None)
    monkeypatch.setattr(Mean, "divisible", reason != "a model")
    if reason == "no fork":
        monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    if reason == "threads":
        thread.start()
    try:
        assert len(parallel.statistics(Mean(), ["1"] * 3000, [[]] * 3000, {})) == 3000
    finally:
        done.set()
    if reason == "threads":
        thread.join()


def test_a_run_is_rescored_with_the_same_figures_as_its_files(cli: Any, tmp_path: Path) -> None:
    rows = [{"id": f"d{n}", "text": f"{text} {text} It rained.", "gold": text} for n, text in enumerate(EN)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    mapping = ["--map", "document=text", "--map", "summary=gold"]
    assert cli("run", "summarization", "--model", "echo", "-i", "in.jsonl", "-o", "out.jsonl", *mapping).code == 0
    runs = [score(tmp_path / name) for name in ("out.jsonl", "out.jsonl.run")]
    assert runs[0] == runs[1]
    files = score("summarization", tmp_path / "out.jsonl", columns={"summary": "gold", "document": "text"})
    assert runs[0].results["rouge1"] == files.results["rouge1"]
    assert runs[0].results["compression_ratio"] == files.results["compression_ratio"]
    assert runs[0].counts == {**files.counts, "truncated": 0, "cached": 0}
    assert runs[0].run == str(tmp_path / "out.jsonl.run")
    other = score(tmp_path / "out.jsonl", references=[row["text"] for row in rows], metrics="rouge")
    assert other.results["rouge1"].value > runs[0].results["rouge1"].value
    log = tmp_path / "out.jsonl.run" / "samples.jsonl"
    first, *_ = lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(first)
    with pytest.raises(RunError, match="damaged: 3 predictions, 1 lines"):
        score(tmp_path / "out.jsonl")
    log.write_bytes(b"".join(lines).replace(b'"cached": false', b'"cached": true'))
    with pytest.raises(RunError, match="damaged at line 1"):
        score(tmp_path / "out.jsonl")


def bad(**arguments: Any) -> Scores:
    given = {"task": "summarization", "predictions": EN, "references": EN, "metrics": "rouge", **arguments}
    return score(given.pop("task"), given.pop("predictions"), given.pop("references"), **given)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"task": "sumarization"}, UnknownNameError, "Did you mean 'summarization'"),
        ({"predictions": None}, UsageError, "--predictions FILE"),
        ({"task": "no/such/run", "predictions": None}, RunError, "is no run"),
        ({"references": None}, InputError, "needs references.*--references"),
        ({"references": [["a"], [], ["b"]]}, InputError, r"no reference for 1 id \('1'\).*squad_v2"),
        ({"metrics": "rogue"}, UnknownNameError, "Did you mean 'rouge'"),
        ({"metrics": "perplexity"}, InputError, "no column 'loglikelihood'"),
        ({"by": "lang"}, UnknownNameError, "Unknown column 'lang'"),
        ({"columns": {"references": "golden"}}, UnknownNameError, "Unknown column 'golden'"),
        ({"lang": "qqxx"}, UnknownNameError, "Unknown language"),
    ],
)
def test_a_mistake_is_told(arguments: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        bad(**arguments)


def test_a_column_of_ids_is_no_way_to_break_down() -> None:
    rows = [{"id": number, "prediction": "1"} for number in range(200)]
    with pytest.raises(UsageError, match="200 values"):
        score("chat", rows, metrics=[Mean()], by="id")


ENDLESS = """
import os, sys, time
import numpy as np
from nlptasks.evaluation import parallel
from nlptasks.metrics.exact_match import ExactMatch

class Slow(ExactMatch):
    def statistics(self, predictions, references, **columns):
        os.write(1, f"{os.getpid()}\\n".encode())
        time.sleep(600)

parallel.cores = lambda: 2
parallel.statistics(Slow(lang="en"), ["a"] * 4000, [["a"]] * 4000, {})
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_processes_end_with_the_one_that_was_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        assert all(parent.stdout.readline() for _ in range(2))  # both have begun
        parent.kill()
        assert parent.stdout.read() == ""  # the end comes when the last process that could write has ended
