"""D, G and R against relative depth on CIFAR-10: at initialisation, trained, and with shuffled channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from scaledetect.reproduce.images.grid import LABELS, layer_jobs
from scaledetect.reproduce.study import Study, Tables

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["STUDY", "draw"]

STYLES: dict[str, Literal["--", "-", ":"]] = {"initial": "--", "trained": "-", "shuffled": ":"}
WORDS = {"initial": "at initialisation", "trained": "trained", "shuffled": "trained, channels shuffled"}


def draw(tables: Tables) -> dict[str, Figure]:
    """Rows are kinds of nets, columns D, G and R; the mean over seeds, and a band from the lowest to the highest."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from scaledetect.plots.style import COLORS, PANELS

    layers = tables["layers"]
    layers = layers[layers["sigma"] == 0]
    kinds = [net for net in LABELS if net in set(layers["net"])]
    figure = Figure(figsize=(9.6, 0.8 + 2.4 * len(kinds)), layout="constrained")
    for row, net in zip(figure.subplots(len(kinds), 3, squeeze=False), kinds, strict=True):
        for axes, (name, (heading, symbol)) in zip(row, PANELS.items(), strict=True):
            _panel(axes, layers[layers["net"] == net], name)
            axes.set_ylabel(symbol)
            if net == kinds[0]:
                axes.set_title(heading, fontsize=10)
            if net == kinds[-1]:
                axes.set_xlabel("relative depth")
        row[0].annotate(LABELS[net], (0.04, 0.04), xycoords="axes fraction", fontsize=9)
    entries = [
        Line2D([], [], color=color, linestyle=style, label=WORDS[curve])
        for color, (curve, style) in zip(COLORS, STYLES.items(), strict=False)
    ]
    figure.legend(handles=entries, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return {"": figure}


def _panel(axes: Axes, rows: pd.DataFrame, name: str) -> None:
    from scaledetect.plots.style import COLORS, legible_ticks

    for color, (curve, style) in zip(COLORS, STYLES.items(), strict=False):
        by_layer = rows[rows["curve"] == curve].groupby("depth")[name]
        mean, low, high = by_layer.mean(), by_layer.min(), by_layer.max()
        axes.plot(mean.index, mean, linestyle=style, color=color, linewidth=1.4, marker="o", markersize=2.5)
        axes.fill_between(mean.index, low, high, color=color, alpha=0.15, linewidth=0)
    axes.set_yscale("log")
    legible_ticks(axes.yaxis)
    axes.spines[["top", "right"]].set_visible(False)


STUDY = Study(
    "images-layers", "D, G and R against relative depth on CIFAR-10, and with shuffled channels", "3, 11", layer_jobs,
    draw, sizes=("small", "laptop", "paper"), writes=("layers",), folder="images",
)  # fmt: skip
