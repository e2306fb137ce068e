"""``nlptasks compare``: two runs, a table, and what changed."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support import Cli

TEXT = "It rained for {} days. The harbour of town {} was closed. Nobody knew why the ferry still left at noon."


def test_two_runs_are_compared_and_other_data_is_refused(cli: Cli, tmp_path: Path) -> None:
    rows = [{"id": f"d{n}", "document": TEXT.format(n, n), "summary": f"It rained for {n} days."} for n in range(12)]
    for name, some in (("in", rows), ("fewer", rows[:6])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in some), "utf-8")
    for model, source, output in (("echo", "in", "a"), ("embedded", "in", "b"), ("echo", "fewer", "c")):
        extra = ["--max-sentences", "1"] if model == "embedded" else []
        done = cli("run", "summarization", "-m", model, "-i", f"{source}.jsonl", "-o", f"{output}.jsonl", *extra)
        assert done.code == 0, done.err
    done = cli("compare", "a.jsonl", "b.jsonl.run", "--metrics", "rouge,chrf", "--most", "2")
    assert done.code == 0, done.err
    lines = [line.split("\t") for line in done.out.splitlines()]
    assert lines[0][:2] == ["b.jsonl.run", "rouge1"]
    assert all(len(line) == 10 for line in lines)
    assert "baseline: a.jsonl.run" in done.err
    assert done.err.count(": rouge1 ") == 2
    found = json.loads(cli("compare", "a.jsonl", "b.jsonl", "--json").out)
    [pair] = found["pairs"]
    assert found["baseline"] == "a.jsonl.run"
    assert pair["differences"]["rouge1"]["n"] == 12
    assert pair["differences"]["rouge1"]["wins"] + pair["differences"]["rouge1"]["losses"] > 0
    refused = cli("compare", "a.jsonl", "c.jsonl")
    assert (refused.code, refused.out) == (1, "")
    assert "their data.sha256 differs" in refused.err
    assert refused.err.count("\n") == 1
