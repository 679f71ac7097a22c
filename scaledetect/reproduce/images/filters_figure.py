"""Filter spectrum by layer on CIFAR-10, before and after training: the constant mode is spatial pooling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scaledetect.reproduce.images.grid import LABELS, layer_jobs
from scaledetect.reproduce.study import Study, Tables

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["STUDY", "draw"]


def draw(tables: Tables) -> dict[str, Figure]:
    """A row a kind: spectra over that of white filters, before and after, a line a layer; the share of the constant."""
    from matplotlib.figure import Figure

    from scaledetect.plots.style import legible_ticks

    spectra = tables["spectra"]
    spectra = spectra[spectra["sigma"] == 0]
    kinds = [net for net in LABELS if net in set(spectra["net"])]
    figure = Figure(figsize=(9.6, 0.6 + 2.5 * len(kinds)), layout="constrained")
    for row, net in zip(figure.subplots(len(kinds), 3, squeeze=False), kinds, strict=True):
        rows = spectra[spectra["net"] == net]
        for axes, (curve, words) in zip(row, (("initial", "at initialisation"), ("trained", "trained")), strict=False):
            _spectrum(axes, rows[rows["curve"] == curve])
            axes.set_title(f"{LABELS[net]}, {words}", fontsize=9)
        limits = [edge for axes in row[:2] for edge in axes.get_ylim()]
        for axes in row[:2]:
            # No less than a decade: the scatter of white filters is not to look like a spectrum.
            axes.set_ylim(min(*limits, 0.3), max(*limits, 3))
            legible_ticks(axes.yaxis)
        _constant(row[2], rows)
    return {"": figure}


def _spectrum(axes: Axes, rows: pd.DataFrame) -> None:
    from matplotlib import colormaps

    modes = rows.groupby("layer")["modes"].transform("sum") / rows["seed"].nunique()
    ratio = rows.assign(ratio=rows["P"] * modes / rows["modes"])
    layers = list(dict.fromkeys(rows["layer"]))
    shades = colormaps["viridis"](np.linspace(0, 0.88, max(2, len(layers))))
    for shade, layer in zip(shades, layers, strict=False):
        mean = ratio[ratio["layer"] == layer].groupby("eigenvalue")["ratio"].mean()
        axes.plot(mean.index, mean, "o-", color=shade, markersize=2.5, linewidth=1)
    axes.axhline(1, color="#666666", linewidth=0.8, zorder=0)
    axes.set(yscale="log", xlabel=r"eigenvalue $\lambda$", ylabel=r"$P_\lambda$ / white")
    axes.spines[["top", "right"]].set_visible(False)


def _constant(axes: Axes, rows: pd.DataFrame) -> None:
    from matplotlib.ticker import MaxNLocator

    from scaledetect.plots.style import COLORS

    constant = rows[rows["eigenvalue"] < 1e-9]
    for color, (curve, style) in zip(COLORS, (("initial", "--"), ("trained", "-")), strict=False):
        mean = constant[constant["curve"] == curve].groupby("k")["P"].mean()
        axes.plot(range(1, len(mean) + 1), mean, style, color=color, marker="o", markersize=3, label=curve)
    axes.set(xlabel="convolution", ylabel="share of the constant", ylim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)


STUDY = Study(
    "filters", "Filter spectrum by layer on CIFAR-10, before and after training", "4, 12-14", layer_jobs, draw,
    sizes=("small", "laptop", "paper"), writes=("spectra",), folder="images",
)  # fmt: skip
