"""Test error against D, G and R of the output, for many kinds of nets and strengths of noise on the training images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaledetect.reproduce.images.grid import LABELS, image_jobs
from scaledetect.reproduce.study import Study, Tables

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["STUDY", "draw"]

SIZES = (4.0, 6.0, 8.0, 10.0)
"""Of the markers: the stronger the noise on the training images, the larger."""


def draw(tables: Tables) -> dict[str, Figure]:
    """The test error against D, G and R of the output: a marker a net, larger where the training images have noise."""
    from matplotlib.figure import Figure

    from scaledetect.plots.style import PANELS

    nets = tables["nets"]
    nets = nets[nets["status"] != "diverged"]
    figure = Figure(figsize=(10.0, 4.2), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    for axes, (name, (heading, _)) in zip(panels, PANELS.items(), strict=True):
        _panel(axes, nets, name)
        axes.set_title(heading, fontsize=10)
    panels[0].set_ylabel("test error")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    return {"": figure}


def _panel(axes: Axes, nets: pd.DataFrame, name: str) -> None:
    from scaledetect.plots.style import COLORS, MARKERS, legible_ticks

    strengths = sorted(nets["sigma"].unique())
    for index, net in enumerate(dict.fromkeys(nets["net"])):
        marker = MARKERS[(index + index // len(COLORS)) % len(MARKERS)]
        for sigma in strengths:
            mine = nets[(nets["net"] == net) & (nets["sigma"] == sigma)]
            axes.errorbar(
                mine[name], mine["test_error"], xerr=mine[f"{name}_stderr"], fmt=marker,
                color=COLORS[index % len(COLORS)], markersize=SIZES[min(strengths.index(sigma), len(SIZES) - 1)],
                markerfacecolor="none" if sigma else None, capsize=2,
                label=LABELS.get(net, net) if sigma == strengths[0] else None,
            )  # fmt: skip
    axes.set(xscale="log", xlabel=rf"${name}$ of the output")
    legible_ticks(axes.xaxis)
    axes.spines[["top", "right"]].set_visible(False)


STUDY = Study(
    "images-error", "Test error against D, G and R of the output on CIFAR-10", "1, 10", image_jobs, draw,
    sizes=("small", "laptop", "paper"), writes=("nets",), folder="images",
)  # fmt: skip
