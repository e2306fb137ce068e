"""What the READMEs speak of as if it were there: texts, a model, and two runs to compare."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence

from tests.conftest import Tiny
from tests.docs.blocks import Workspace

ARTICLES = {
    "articles.jsonl": ("The ferry is new. It is electric.", "The new ferry is electric."),
    "文章.jsonl": ("渡轮是新的。它用电驱动。", "新渡轮用电驱动。"),
}


def provide(workspace: Workspace, tiny: Tiny) -> None:
    """Put all of it into the workspace."""
    for name, (text, summary) in ARTICLES.items():
        rows = [{"id": str(number), "article": text, "document": text, "summary": summary} for number in range(3)]
        workspace.write(name, _lines(rows))
    workspace.write("p.jsonl", _lines([{"id": "1", "prediction": "天气很好。"}]))
    workspace.write("r.jsonl", _lines([{"id": "1", "references": ["今天天气很好。"]}]))
    shutil.copytree(tiny("llama"), workspace.folder / "my-model")
    for run in ("first", "second"):
        arguments = ["eval", "summarization", "--data", "articles.jsonl", "--model", "embedded"]
        done = workspace.run("nlptasks", *arguments, "--output", f"runs/{run}")
        assert done.returncode == 0, done.stdout


def _lines(rows: Sequence[Mapping[str, object]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
