"""``nlptasks score``: figures for files and runs, and a line for each mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sacrebleu

from nlptasks.cli.main import main
from tests.support import Cli

HYPOTHESES = ["Der Hafen war zwei Tage lang zu.", "Die Katze saß auf der Matte.", "Niemand kam am Montag zum Treffen."]
REFERENCES = [
    "Der alte Hafen war zwei Tage lang geschlossen.",
    "Die Katze sitzt auf der Matte.",
    "Niemand kam zum Treffen.",
]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, column, texts in (("p", "prediction", HYPOTHESES), ("r", "target", REFERENCES)):
        rows = [{"id": f"s{n}", column: text, "domain": "ab"[n % 2]} for n, text in enumerate(texts)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        (tmp_path / f"{name}.txt").write_text("\n".join(texts) + "\n", "utf-8")
    return tmp_path


def test_json_is_as_documented_and_equal_to_sacrebleu(cli: Cli, files: Path) -> None:
    done = cli("score", "translation", "--predictions", "p.jsonl", "--references", "r.jsonl",
               "--metrics", "bleu,chrf", "--target-lang", "de", "--json")  # fmt: skip
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert list(found) == ["results", "counts"]
    assert list(found["results"]["bleu"]) == ["value", "stderr", "ci95", "n", "signature"]
    assert found["results"]["bleu"]["value"] == sacrebleu.corpus_bleu(HYPOTHESES, [REFERENCES]).score
    assert found["results"]["chrf"]["value"] == sacrebleu.corpus_chrf(HYPOTHESES, [REFERENCES]).score
    assert found["counts"] == {"total": 3, "scored": 3, "failed": 0, "empty": 0, "unanswered": 0}


def test_text_by_line_gives_a_row_for_each_figure_and_group(cli: Cli, files: Path) -> None:
    done = cli("score", "translation", "-p", "p.txt", "-r", "r.jsonl", "-r", "r.txt", "--lang", "de", "--by", "domain")
    assert done.code == 0, done.err
    lines = [line.split("\t") for line in done.out.splitlines()]
    assert [line[0] for line in lines] == ["bleu", "chrf", "bleu (a)", "chrf (a)", "bleu (b)", "chrf (b)"]
    assert lines[0][4] == "3"
    assert "nrefs:2" in lines[0][5]
    assert done.err == "3 total, 3 scored\n"


def test_a_run_with_failed_samples_is_scored_without_them_and_says_so(cli: Cli, tmp_path: Path) -> None:
    rows = [
        {"id": "a", "document": HYPOTHESES[0], "summary": HYPOTHESES[0]},
        {"id": "b", "document": 5, "summary": "x"},
    ]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert cli("run", "summarization", "--model", "echo", "-i", "in.jsonl", "-o", "out.jsonl").code == 3
    done = cli("score", "out.jsonl.run", "--metrics", "rouge", "--json")
    assert done.code == 3
    found = json.loads(done.out)
    assert (found["counts"]["total"], found["counts"]["scored"], found["counts"]["failed"]) == (2, 1, 1)
    assert (found["results"]["rouge1"]["value"], found["results"]["rouge1"]["n"]) == (100, 1)
    assert found["run"] == "out.jsonl.run"


def test_a_judge_is_asked_where_one_is_named(cli: Cli, files: Path) -> None:
    done = cli(
        "score", "translation", "-p", "p.jsonl", "-r", "r.jsonl", "--metrics", "chrf", "--judge", "echo", "--json"
    )
    assert done.code == 0, done.err
    results = json.loads(done.out)["results"]
    assert "judge:echo" in results["judge_failed"]["signature"]
    assert results["judge_failed"]["value"] == 100
    assert "llm_judge" not in results  # echo gives no verdict, which is no rating of 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("score translation -p p.jsonl -r r.jsonl --metrics blue", 2, "Unknown metric 'blue'. Did you mean 'bleu'?"),
        ("score translation -p p.jsonl -r r.jsonl --metrics chrf:word_ordr=2", 2, "Did you mean 'word_order'?"),
        ("score translation -p p.jsonl -r nowhere.jsonl", 2, "No such file: nowhere.jsonl"),
        ("score translation -p p.jsonl -r empty.jsonl", 2, "empty.jsonl is empty"),
        ("score translation -p p.jsonl -r p.jsonl", 2, "p.jsonl has no column 'target' or 'references'"),
        ("score translation -p p.jsonl", 2, "--references FILE"),
        ("score translation -p short.txt -r r.txt", 2, "r.txt has 3 lines, short.txt 1"),
        ("score translation -p other.jsonl -r r.jsonl --allow-missing", 2, "r.jsonl has no row for 1 id ('zz')"),
        ("score translation -p p.jsonl -r r.jsonl --map references", 2, "--map takes FIELD=COLUMN"),
        ("score translation -r r.jsonl", 2, "--predictions FILE"),
        ("score ./p.jsonl", 1, "p.jsonl is no run"),
        ("score translatoin -p p.jsonl -r r.jsonl", 2, "Did you mean 'translation'?"),
        ("score chat -p p.jsonl -r r.txt --metrics perplexity", 2, "no column 'loglikelihood'"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: str,
    code: int,
    words: str,
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(files)
    (files / "empty.jsonl").write_text("\n", "utf-8")
    (files / "short.txt").write_text("Zeile\n", "utf-8")
    (files / "other.jsonl").write_text('{"id": "zz", "prediction": "x"}\n', "utf-8")
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (code, "")
    assert err.count("\n") == 1
    assert words in err
