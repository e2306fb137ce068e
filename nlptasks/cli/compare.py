"""``nlptasks compare``: whether runs differ by more than chance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nlptasks.cli import console

if TYPE_CHECKING:
    from nlptasks.evaluation.differences import Comparison

HEADERS = ("run", "metric", "baseline", "value", "difference", "95 % interval", "p", "p (Holm)", "w/t/l", "n")

SHOWN = 300  # characters of a changed sample's prediction


@click.command()
@click.argument("runs", metavar="RUN RUN...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--metrics", help="Which metrics, such as rouge,chrf:word_order=2.  [default: the task's own]")
@click.option("--lang", "--target-lang", "lang", help="The language of the predictions.  [default: told by the data]")
@click.option("--most", type=click.IntRange(0), default=5, show_default=True, help="Show this many changed samples.")
@click.option("--judge", metavar="PROVIDER/MODEL", help="Have a model judge the predictions too.")
@click.option("--encoder", metavar="MODEL", help="Compare meanings too, by the vectors of this encoder.")
@click.option("as_json", "--json", is_flag=True, help="Print JSON.")
def compare(runs: tuple[Path, ...], as_json: bool, **options: Any) -> None:
    """Compare runs on the same data with the first of them, sample by sample.

    The interval of a difference is that of the paired bootstrap, p is by approximate randomization, then corrected
    for the number of comparisons by Holm's method; w/t/l are the samples won, tied and lost against the first run.
    """
    from nlptasks.evaluation.comparison import compare as compare_them
    from nlptasks.plugin.isolation import stdout_aside

    with stdout_aside():
        comparison = compare_them(runs, **options)
    if as_json:
        console.say_json(comparison.to_dict())
    else:
        _print(comparison)


def _print(comparison: Comparison) -> None:
    from nlptasks.evaluation.differences import cells

    console.table(HEADERS, [cells(*row) for row in comparison.rows()])
    console.note(f"baseline: {comparison.baseline}")
    without = sorted({name for _, name, one in comparison.rows() if one.wins is None})
    if without:
        console.note(f"no score for a single sample: {', '.join(without)}")
    for pair in comparison.pairs:
        if pair.unpaired:
            console.note(f"{pair.run}: {pair.unpaired} samples that failed or are missing in one run are left out")
        for change in pair.changes:
            before, after = change.scores
            console.note(f"\n{change.id}: {change.figure} {before:.2f} -> {after:.2f} ({pair.run})")
            for mark, text in zip("-+", change.predictions, strict=True):
                console.note(f"  {mark} {' '.join(text.split())[:SHOWN]}")
