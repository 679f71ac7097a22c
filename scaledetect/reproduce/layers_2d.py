"""D, G and R of VGG11 against relative depth: at initialisation, trained, and with shuffled channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from scaledetect.reproduce.deep_nets import LABELS, LAYER_KINDS, layer_jobs
from scaledetect.reproduce.study import Study, Tables

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["STUDY"]

STYLES: dict[str, Literal["--", "-", ":"]] = {"initial": "--", "trained": "-", "shuffled": ":"}
WORDS = {"initial": "at initialisation", "trained": "trained", "shuffled": "trained, channels shuffled"}


def _draw(tables: Tables) -> dict[str, Figure]:
    from matplotlib.lines import Line2D

    from scaledetect.plots.style import COLORS, PANELS, NotebookFigure, legible_ticks

    layers = tables["layers"]
    figure = NotebookFigure(figsize=(10.0, 3.6), layout="constrained")
    for axes, (name, (heading, symbol)) in zip(figure.subplots(1, 3), PANELS.items(), strict=True):
        for color, net in zip(COLORS, LAYER_KINDS, strict=False):
            for curve, style in STYLES.items():
                _curve(axes, layers[(layers["net"] == net) & (layers["curve"] == curve)], name, color, style)
        axes.set_title(heading, fontsize=10)
        axes.set(yscale="log", xlabel="relative depth", ylabel=symbol)
        legible_ticks(axes.yaxis)
        axes.spines[["top", "right"]].set_visible(False)
    entries = [Line2D([], [], color=color, label=LABELS[net]) for color, net in zip(COLORS, LAYER_KINDS, strict=False)]
    entries += [Line2D([], [], color="0.4", linestyle=style, label=WORDS[curve]) for curve, style in STYLES.items()]
    figure.legend(handles=entries, loc="outside lower center", ncols=len(entries), frameon=False, fontsize=9)
    return {"": figure}


def _curve(axes: Axes, rows: pd.DataFrame, name: str, color: str, style: Literal["--", "-", ":"]) -> None:
    """The mean over seeds, and a band from the lowest to the highest."""
    by_layer = rows.groupby("depth")[name]
    mean, low, high = by_layer.mean(), by_layer.min(), by_layer.max()
    axes.plot(mean.index, mean, linestyle=style, color=color, linewidth=1.4)
    axes.fill_between(mean.index, low, high, color=color, alpha=0.15, linewidth=0)


STUDY = Study(
    "layers-2d", "D, G and R against relative depth, and with shuffled channels", "9", layer_jobs, _draw,
    writes=("layers",), folder="deep-nets",
)  # fmt: skip
