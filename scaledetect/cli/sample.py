"""``scaledetect sample``: draw a data set into a file."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from scaledetect._base.errors import bad_value
from scaledetect.cli.options import CardName

if TYPE_CHECKING:
    from scaledetect.task.task import Task

Split = Annotated[str | None, typer.Option(help="train, validation or test; default: the whole population.")]


DEFAULT = 1000
"""Images, where the population holds as many."""

SHOWN = 4
"""Images of each class in the picture."""


def sample(
    card: CardName,
    output: Annotated[Path | None, typer.Option(help="File for pairs, labels and metadata (.npz).")] = None,
    n: Annotated[int | None, typer.Option("--n", "-n", help="Number of images; default: 1000, or all.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the stream.")] = 0,
    split: Split = None,
    replace: Annotated[bool, typer.Option(help="Draw with replacement.")] = False,
    start: Annotated[int, typer.Option(help="Number of the first sample.")] = 0,
    images: Annotated[bool, typer.Option(help="Store the images X too, as float32.")] = False,
    picture: Annotated[Path | None, typer.Option(help="Picture of example images (PNG, SVG or PDF).")] = None,
) -> None:
    """Draw samples of a task: positions `pairs`, labels `y` (+1 near, -1 far), and images `X` where asked."""
    from scaledetect._base.files import check_writable
    from scaledetect.sampling.samplers import check_request
    from scaledetect.sampling.splits import longest_run
    from scaledetect.task.cards import load_task

    task = load_task(card)
    split_name = cast("Any", split)
    if n is None:
        n = DEFAULT if replace else max(0, min(DEFAULT, longest_run(task, split_name) - start))
    check_request(task, n, start, split_name, replace)
    if output is None and picture is None:
        raise bad_value("output", output, "nothing to write", "give --output FILE.npz, --picture FILE.png, or both")
    if output is not None and output.suffix != ".npz":
        raise bad_value("output", str(output), "must end in .npz")
    for path in (output, picture):
        if path is not None:
            check_writable(path)
    if output is not None:
        _store(output, task, n, images, {"seed": seed, "split": split, "replace": replace, "start": start})
    if picture is not None:
        _draw(picture, task, seed)


def _store(output: Path, task: Task, n: int, images: bool, choice: dict[str, Any]) -> None:
    import numpy as np

    from scaledetect._base.files import replacing
    from scaledetect._base.versions import __version__
    from scaledetect.sampling.samplers import sample_images, sample_pairs

    pairs, y = sample_pairs(task, n, **choice)
    arrays: dict[str, Any] = {"pairs": pairs, "y": y}
    if images:
        arrays["X"] = sample_images(task, n, **choice)[0]
    metadata = {"task": asdict(task), "n": n, **choice, "scaledetect": __version__}
    with replacing(output) as temporary:
        np.savez(temporary, metadata=np.array(json.dumps(metadata)), **arrays)
    typer.echo(f"{output}: {n} samples, {int((y == 1).sum())} near and {int((y == -1).sum())} far")


def _draw(picture: Path, task: Task, seed: int) -> None:
    from scaledetect.plots.examples import plot_examples
    from scaledetect.plots.style import save_figure
    from scaledetect.sampling.samplers import first_of_each_class

    save_figure(plot_examples(task, *first_of_each_class(task, SHOWN, seed=seed)), picture)
    typer.echo(f"{picture}: example images")
