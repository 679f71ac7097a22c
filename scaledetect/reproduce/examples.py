"""Near and far images of both tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaledetect.reproduce.study import Job, Size, Study, Tables
from scaledetect.task.cards import load_task

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from scaledetect.task.task import Task

__all__ = ["STUDY"]

SHOWN = 3
"""Images of each class."""


@dataclass(frozen=True)
class Examples:
    """The first images of each class of a card."""

    card: str

    @property
    def name(self) -> str:
        """That of the card."""
        return self.card

    @property
    def task(self) -> Task:
        """The task of the card."""
        return load_task(self.card)

    def describe(self) -> dict[str, Any]:
        """The task, and which of its rows."""
        return {"task": asdict(self.task), "rows": 2 * SHOWN, "seed": 0}

    def run(self, folder: Path, say: Callable[[str], object]) -> Tables:
        """A table of the active pixels: one row each."""
        import pandas as pd

        from scaledetect.sampling.samplers import sample_pairs

        del folder, say
        pairs, labels = sample_pairs(self.task, 2 * SHOWN, seed=0)
        rows = [
            {"card": self.card, "row": row, "class": "near" if label > 0 else "far", "pixel": pixel, "x": x, "y": y}
            for row, (pair, label) in enumerate(zip(pairs, labels, strict=True))
            for pixel, (y, x) in enumerate(pair)
        ]
        return {"pixels": pd.DataFrame(rows)}


def _jobs(size: Size) -> tuple[Job, ...]:
    del size  # images are the same everywhere
    return Examples("distance-2d-L28-xi14-gap2-open"), Examples("block-2d-L28-xi14")


def _draw(tables: Tables) -> dict[str, Figure]:
    from scaledetect.plots.style import NotebookFigure

    pixels = tables["pixels"]
    titles = ("Task 1: are the two pixels closer than ξ?", "Task 2: do they lie in one block of side ξ?")
    figure = NotebookFigure(figsize=(9.6, 3.7), layout="constrained")
    halves: Any = figure.subfigures(1, 2, wspace=0.04)
    for part, (card, rows), title in zip(halves, pixels.groupby("card", sort=False), titles, strict=True):
        part.suptitle(title, fontsize=10)
        grid = part.subplots(2, SHOWN)
        for line, (label, mark) in zip(grid, (("near", "y = +1"), ("far", "y = -1")), strict=True):
            images = rows[rows["class"] == label].groupby("row")
            for axes, (_, image) in zip(line, images, strict=True):
                _image(axes, image, load_task(str(card)))
            line[0].set_ylabel(f"{label}\n{mark}", fontsize=9)
    return {"": figure}


def _image(axes: Axes, pixels: pd.DataFrame, task: Task) -> None:
    from matplotlib.patches import Circle

    size, xi = task.size, float(task.xi)
    if task.labelling == "block":
        for border in range(int(xi), size, int(xi)):
            axes.axhline(border - 0.5, color="0.7", linewidth=0.8)
            axes.axvline(border - 0.5, color="0.7", linewidth=0.8)
    else:
        first = pixels.iloc[0]
        axes.add_patch(Circle((first["x"], first["y"]), xi, fill=False, color="0.7", linestyle="--", linewidth=0.8))
    axes.plot(pixels["x"], pixels["y"], "s", color="#0072B2", markersize=3.2)
    axes.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5), aspect="equal", xticks=[], yticks=[])


STUDY = Study("examples", "Near and far images of both tasks", "6", _jobs, _draw)
