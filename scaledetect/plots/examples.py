"""Example images of both classes of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from scaledetect._base.errors import bad_value
from scaledetect.plots.style import COLORS, NotebookFigure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaledetect.task.task import Task

__all__ = ["plot_examples"]

_DEPTH = "viridis"

MOST = 12
"""Images of a class in one figure."""


def plot_examples(task: Task, near: NDArray[np.int64], far: NDArray[np.int64]) -> Figure:
    """Near images in the upper row, far ones in the lower: strips in 1-D, images in 2-D, projections in 3-D.

    Tasks of blocks show the borders between them, in 3-D those of the first two coordinates.

    Parameters
    ----------
    task : Task
    near, far : ndarray of int64, shape (n, 2, dim)
        Pairs of each class, such as `scaledetect.sampling.samplers.first_of_each_class` draws; 1 to 12 of each.

    Raises
    ------
    ValueError
        For none, or more than 12.
    """
    n = max(len(near), len(far))
    if not 1 <= n <= MOST:
        raise bad_value("near", f"{n} pairs", f"a figure shows 1 to {MOST} of each class")
    flat = task.dim == 1
    figure = NotebookFigure(figsize=(9.0, 0.9 + 0.55 * n) if flat else (0.6 + 1.9 * n, 4.2), layout="constrained")
    grid = figure.subplots(n, 2, squeeze=False, sharex=True).T if flat else figure.subplots(2, n, squeeze=False)
    draw = {1: _strip, 2: _image, 3: _projection}[task.dim]
    for row, (pairs, name) in enumerate(((near, "near"), (far, "far"))):
        for axes, pair in zip(grid[row], pairs, strict=False):
            draw(axes, pair, task)
            _borders(axes, task)
        if flat:
            grid[row][0].set_title(name, fontsize=10)
            grid[row][-1].set_xlabel("site (pixels)")
        else:
            grid[row][0].set_ylabel(name, fontsize=10)
    if task.dim == 3:
        depth = ScalarMappable(Normalize(0, task.size - 1), _DEPTH)
        figure.colorbar(depth, ax=grid, label="third coordinate (pixels)", shrink=0.6)
    return figure


def _borders(axes: Axes, task: Task) -> None:
    """Lines between the blocks of side xi; the last block may be smaller."""
    if task.labelling != "block":
        return
    for border in np.arange(task.xi, task.size, task.xi) - 0.5:
        axes.axvline(border, color=COLORS[1], linewidth=0.7, alpha=0.7, zorder=0.5 if task.dim != 2 else 2)
        if task.dim > 1:
            axes.axhline(border, color=COLORS[1], linewidth=0.7, alpha=0.7, zorder=0.5 if task.dim != 2 else 2)


def _strip(axes: Axes, pair: NDArray[np.int64], task: Task) -> None:
    axes.vlines(pair[:, 0], 0, 1, color=COLORS[0], linewidth=1.5)
    axes.plot(pair[:, 0], np.ones(2), "o", color=COLORS[0], markersize=4)
    axes.set(xlim=(-0.5, task.size - 0.5), ylim=(0, 1.3), yticks=[])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 4, 10], integer=True))


def _image(axes: Axes, pair: NDArray[np.int64], task: Task) -> None:
    picture = np.zeros((task.size, task.size))
    picture[tuple(pair.T)] = 1
    axes.imshow(picture, cmap="gray_r", interpolation="nearest", vmin=0, vmax=1)
    axes.set(xticks=[], yticks=[])


def _projection(axes: Axes, pair: NDArray[np.int64], task: Task) -> None:
    side = (130 / task.size) ** 2
    # Of two pixels in one column the second is drawn small, on top of the first.
    sides = [side, 0.25 * side if (pair[0, :2] == pair[1, :2]).all() else side]
    axes.scatter(pair[:, 1], pair[:, 0], sides, pair[:, 2], marker="s", cmap=_DEPTH, vmin=0, vmax=task.size - 1)
    axes.set(xlim=(-0.5, task.size - 0.5), ylim=(task.size - 0.5, -0.5), aspect="equal", xticks=[], yticks=[])
