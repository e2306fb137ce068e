"""What every task's command shares: its options, and one call with what was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from nlptasks.backends.ray import Cluster
    from nlptasks.cli.params import Parameter
    from nlptasks.job import AnyTask, Job

PATH = click.Path(path_type=Path)


class Place(click.Path):
    """Where rows come from or go to: a path, ``-`` or a URL."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        from nlptasks.data import place

        return value if isinstance(value, Path) else place(value)


SHARED = [
    click.Option(["model", "-m", "--model"], help="Which model answers: provider/model, such as hf/Qwen/Qwen3-0.6B."),
    click.Option(["system", "--system"], help="A system prompt in place of the task's own."),
    click.Option(["prompt", "--prompt"], type=PATH, help="A file with a prompt template."),
    click.Option(["cache", "--cache/--no-cache"], default=None, help="Keep answers and reuse them."),
    click.Option(["as_json", "--json"], is_flag=True, help="Print JSON."),
]
CLUSTER = [
    click.Option(["engine", "--engine"], type=click.Choice(["ray"]), help="Answer on a cluster, by many workers."),
    click.Option(["address", "--address"], help="The cluster's address; auto finds it.  [default: begin one here]"),
    click.Option(
        ["workers", "--workers"],
        type=click.IntRange(1),
        help="How many have the model.  [default: one for each GPU, or node]",
    ),
    click.Option(
        ["gpus", "--gpus-per-worker"],
        type=click.FloatRange(0),
        help="GPUs that each is given.  [default: 1 where there are any]",
    ),
]
BATCH = [
    click.Option(
        ["source", "-i", "--input"],
        type=Place(),
        help="A file of samples (.jsonl .csv .tsv .parquet .txt), a folder, a URL, or - for JSON Lines.",
    ),
    click.Option(
        ["output", "-o", "--output"],
        type=Place(),
        help="The .jsonl or .parquet file, here or at a URL, that gets their rows; the same command resumes.",
    ),
    click.Option(["columns", "--map"], multiple=True, metavar="FIELD=COLUMN", help="Which column holds a field."),
    click.Option(["limit", "--limit"], type=click.IntRange(1), help="Take this many samples only."),
    click.Option(["overwrite", "--overwrite"], is_flag=True, help="Begin again where the output exists."),
    click.Option(
        ["log_content", "--log-content"],
        type=click.Choice(["full", "hash", "none"]),
        default="full",
        help="What of the texts the run's log keeps.  [default: full]",
    ),
    *CLUSTER,
]


@dataclass(frozen=True)
class Sections:
    """The parameters of a task's command: ``first`` is the first Input field, ``input`` the others."""

    first: Parameter
    input: Sequence[Parameter]
    options: Sequence[Parameter]
    backend: Sequence[Parameter]


@dataclass(frozen=True)
class Call:
    """One call of a task's command, with what was given by parameter."""

    task: AnyTask
    given: Mapping[str, Any]
    sections: Sections

    def values(self, parameters: Sequence[Parameter]) -> dict[str, Any]:
        """Return what was given for some parameters, by column."""
        found = {}
        for parameter in parameters:
            value = self.given.get(parameter.key)
            if value is not None and value != ():
                found[parameter.column] = parameter.value(value)
        return found

    def job(self) -> Job:
        """Return the job of this call."""
        from nlptasks.data import read_text
        from nlptasks.job import PromptOverride, prepare

        template = None if self.given["prompt"] is None else read_text(self.given["prompt"])
        override = PromptOverride(self.given["system"], template)
        task = type(self.task)(override.over(self.task.prompts))
        options, backend_options = self.values(self.sections.options), self.values(self.sections.backend)
        return prepare(task, options, backend_options, self.given["model"], self.given["cache"], self.cluster())

    def cluster(self) -> Cluster | None:
        """Return the cluster that ``--engine`` asks for."""
        from nlptasks.errors import UsageError

        given = {one.name: self.given.get(one.name or "") for one in CLUSTER}
        if not given.pop("engine"):
            if any(value is not None for value in given.values()):
                raise UsageError("--address, --workers and --gpus-per-worker go with --engine ray.")
            return None
        from nlptasks.backends.ray import Cluster

        return Cluster(given["address"], given["workers"], given["gpus"])
