"""The figure of the board of theories: predicted against measured, a panel a theory, and the error against depth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from scaledetect._base.errors import bad_value
from scaledetect.plots.style import COLORS, GREY, MARKERS, NotebookFigure

__all__ = ["plot_theories"]

# Yellow is left out: it is lost on white.
_SHADES = ListedColormap(colormaps["viridis"](np.linspace(0, 0.88, 256)))

COLUMNS = 4


def plot_theories(curves: Mapping[str, Sequence[tuple[ArrayLike, ArrayLike]]], *, quantity: str = "D") -> Figure:
    """Predicted against measured values, coloured by depth, and the mean absolute logarithmic error of each layer.

    Parameters
    ----------
    curves : mapping of str to sequence of pairs of array_like of float, shape (K,)
        By title of a theory, for each experiment what is predicted and what is measured of layers 1 .. K; layers
        where one of the two is NaN or 0 are not shown.
    quantity : str, default "D"
        What it is, for the labels.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        Where there is nothing to draw.
    """
    points = {title: _points(pairs) for title, pairs in curves.items()}
    points = {title: one for title, one in points.items() if one.size}
    if not points:
        raise bad_value("curves", list(curves), "has no layer that is predicted and measured")
    everything = np.concatenate(list(points.values()))
    rows = math.ceil((len(points) + 1) / COLUMNS)
    figure = NotebookFigure(figsize=(3.1 * COLUMNS, 3.0 * rows), layout="constrained")
    panels = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    deepest = int(everything[:, 0].max())
    shades = ScalarMappable(BoundaryNorm(np.arange(0.5, deepest + 1), 256), _SHADES)
    low, high = everything[:, 1:].min() / 1.3, everything[:, 1:].max() * 1.3
    for axes, (title, one) in zip(panels, points.items(), strict=False):
        axes.plot([low, high], [low, high], color=GREY, linewidth=0.8, zorder=0)
        axes.scatter(one[:, 2], one[:, 1], c=shades.to_rgba(one[:, 0]), s=14, linewidths=0)
        axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))
        axes.set_title(title, fontsize=9)
        axes.set(xlabel=f"measured ${quantity}_k$", ylabel=f"predicted ${quantity}_k$")
    last = panels[len(points)]
    for index, (title, one) in enumerate(points.items()):
        depths = np.unique(one[:, 0])
        error = np.abs(np.log(one[:, 1] / one[:, 2]))
        typical = [error[one[:, 0] == k].mean() for k in depths]
        style = {"color": COLORS[index % len(COLORS)], "marker": MARKERS[(index + index // 6) % len(MARKERS)]}
        last.plot(depths, typical, markersize=4, linewidth=1, label=title, **style)
    last.set(xlabel="layer $k$", ylabel="|ln predicted / measured|", yscale="log", ylim=(1e-3, None))
    last.set_title("Error against depth", fontsize=9)
    last.xaxis.set_major_locator(MaxNLocator(integer=True))
    for axes in panels[len(points) + 1 :]:
        axes.set_axis_off()
    for axes in panels[: len(points) + 1]:
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*last.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    figure.colorbar(shades, ax=list(panels), label="layer $k$", ticks=MaxNLocator(6, integer=True))
    return figure


def _points(pairs: Sequence[tuple[ArrayLike, ArrayLike]]) -> np.ndarray:
    """Rows (layer, predicted, measured) of all that can stand on axes of logarithms."""
    rows = [np.empty((0, 3))]
    for predicted, measured in pairs:
        x, y = np.asarray(predicted, dtype=float), np.asarray(measured, dtype=float)
        table = np.column_stack([np.arange(1, len(x) + 1), x, y])
        rows.append(table[(x > 0) & (y > 0)])
    return np.concatenate(rows)
