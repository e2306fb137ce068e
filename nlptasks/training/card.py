"""The model card of a trained model: what it learnt, from what, how, and how well."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from nlptasks.training.folder import Record
from nlptasks.training.options import TrainingOptions
from nlptasks.training.setup import Setup


def card(setup: Setup, options: TrainingOptions, record: Record) -> str:
    """Return ``README.md``, with the header that the hub reads."""
    return "\n".join(
        [
            *_header(setup),
            f"# {setup.output.resolve().name}",
            "",
            f"Learnt **{setup.task.name}** in {record.step} updates from {record.rows} rows of tokens, beginning with "
            f"{_base(setup)}.",
            "",
            "```bash",
            f"nlptasks run {setup.task.name} --model hf/{setup.output}",
            "```",
            "",
            *_section("Data", ["file", "sha256", "weight"], _files(setup, record)),
            *([] if setup.licence else ["Its licence was not named.", ""]),
            *_section("Scores", ["figure", "value"], [(name, f"{value:.2f}") for name, value in record.scores.items()]),
            *([f"On {setup.evaluation}, in the state that was kept.", ""] if record.scores else []),
            *_section("Settings", ["option", "value"], [*options.model_dump(mode="json", exclude_none=True).items()]),
            *_section("Made with", ["package", "version"], [*record.environment.items()]),
        ]
    )


def _base(setup: Setup) -> str:
    return f"`{setup.model}`" if setup.model else f"random weights (`{setup.config}`)"


def _header(setup: Setup) -> list[str]:
    base = setup.name if setup.model else ""
    values = {"license": setup.licence, "base_model": base, "library_name": "transformers", "tags": ["nlptasks"]}
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in values.items() if value]
    return ["---", *lines, "---", ""]


def _files(setup: Setup, record: Record) -> list[tuple[str, str, str]]:
    known = zip(setup.data, record.fingerprint["data"], strict=True)
    return [(data.path.name, str(one["sha256"]), f"{data.weight:g}") for data, one in known]


def _section(title: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> list[str]:
    """Return a table under a heading, nothing where there are no rows."""
    if not rows:
        return []
    cells = [columns, ["---"] * len(columns), *rows]
    return [f"## {title}", "", *(f"| {' | '.join(map(str, line))} |" for line in cells), ""]
