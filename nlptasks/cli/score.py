"""``nlptasks score``: figures for predictions that are there already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nlptasks.cli import console
from nlptasks.cli.exits import Exit

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("what", metavar="TASK|RUN")
@click.option(
    "-p",
    "--predictions",
    type=PATH,
    multiple=True,
    help="A file of predictions (.jsonl .json .csv .tsv .parquet, or text by line); another for further columns.",
)
@click.option("-r", "--references", type=PATH, multiple=True, help="A file of references (repeatable).")
@click.option("--metrics", help="Which metrics, such as rouge,chrf:word_order=2.  [default: the task's own]")
@click.option("--lang", "--target-lang", "lang", help="The language of the predictions.  [default: told by the data]")
@click.option("--by", metavar="COLUMN", help="Break the scores down by the values of a column.")
@click.option("--allow-missing", is_flag=True, help="Score a prediction that is absent as empty, and count it.")
@click.option("columns", "--map", multiple=True, metavar="FIELD=COLUMN", help="Which column holds a field.")
@click.option("--judge", metavar="PROVIDER/MODEL", help="Have a model judge the predictions too.")
@click.option("--encoder", metavar="MODEL", help="Compare meanings too, by the vectors of this encoder.")
@click.option("as_json", "--json", is_flag=True, help="Print JSON.")
def score(what: str, predictions: tuple[Path, ...], references: tuple[Path, ...], as_json: bool, **options: Any) -> int:
    """Score the predictions for a TASK against references, or those of a RUN. No model is run.

    All scores are on 0-100 unless their name says otherwise. Rows are matched by their id, or by line where they
    have none.
    """
    from nlptasks.cli.batch import mapping
    from nlptasks.evaluation.scoring import score as score_it
    from nlptasks.plugin.isolation import stdout_aside

    options["columns"] = mapping(options["columns"])
    with stdout_aside():
        scores = score_it(what, predictions or None, references or None, **options)
    if as_json:
        console.say_json(scores.to_dict())
    else:
        print_scores(scores)
    return Exit.FINISHED_WITH_FAILURES if scores.counts["failed"] else 0


def print_scores(scores: Any) -> None:
    """Print a table of all figures, and the counts on stderr."""
    rows = []
    for group, figures in {"": scores.results, **scores.groups}.items():
        for name, one in figures.items():
            low, high = (f"{end:.2f}" for end in one.ci95)
            label = f"{name} ({group})" if group else name
            rows.append((label, f"{one.value:.2f}", f"{low} to {high}", f"{one.stderr:.2f}", str(one.n), one.signature))
    console.table(("metric", "value", "95 % interval", "stderr", "n", "signature"), rows)
    console.note(", ".join(f"{count} {name}" for name, count in scores.counts.items() if count or name == "scored"))
