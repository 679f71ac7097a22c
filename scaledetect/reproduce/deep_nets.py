"""Test error of deep nets against D, G and R of their output."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scaledetect.reproduce.image_job import PUBLISHED_STEP, ImageNetJob
from scaledetect.reproduce.study import Size, Study, Tables
from scaledetect.task.cards import load_task
from scaledetect.task.task import Task

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["LABELS", "STUDY", "layer_jobs", "net_jobs", "paper_task"]

LABELS = {
    "lenet": "LeNet",
    "alexnet": "AlexNet",
    "vgg11": "VGG11",
    "vgg11_bn": "VGG11, batch norm",
    "vgg16_bn": "VGG16, batch norm",
    "resnet18": "ResNet18",
}
"""Kinds of nets at laptop size."""

PAPER_KINDS = (*LABELS, "vgg13", "vgg16", "vgg19", "resnet34", "resnet50")
"""Eleven, as in the paper."""

LAYER_KINDS = ("vgg11", "vgg11_bn")
"""Those whose layers are measured too, at the largest number of training rows."""

SIZES = (1024, 2048)
"""Training rows."""

LAPTOP_EPOCHS, PAPER_EPOCHS = 30, 300
LAPTOP_SEEDS, PAPER_SEEDS = 5, 10

QUARTER: dict[str, dict[str, Any]] = {
    "lenet": {},
    "alexnet": {"width": 0.25},
    "vgg11": {"width": 0.25, "initialisation": "he"},
    "vgg11_bn": {"width": 0.25},
    "vgg16_bn": {"width": 0.25},
    "resnet18": {"width": 0.25},
}
"""What nets are built with at laptop size: LeNet is narrow as it is."""

SMALL_STEP = {"vgg11": 0.01}
"""At laptop size, where the published step fails. In pilots on seed 1000 VGG11 stayed at chance for 20 epochs with
torch's first weights, and diverged with He's; with these and the smaller step it learns."""


def paper_task() -> Task:
    """The paper's two-dimensional task, in images of |x|^2 = N: D, G and R do not depend on the amplitude."""
    return replace(load_task("distance-2d-L28-xi14-gap2-open"), amplitude="norm")


def net_jobs(size: Size) -> tuple[ImageNetJob, ...]:
    """All trainings of a size: every kind and number of rows of the first seed, then of the next."""
    if size == "paper":
        grid = [(net, n, seed) for seed in range(PAPER_SEEDS) for n in SIZES for net in PAPER_KINDS]
        return tuple(_job(*one, PAPER_EPOCHS, draws=10_000) for one in grid)
    grid = [(net, n, seed) for seed in range(LAPTOP_SEEDS) for n in SIZES for net in LABELS]
    return tuple(
        _job(net, n, seed, LAPTOP_EPOCHS, lr=SMALL_STEP.get(net, PUBLISHED_STEP), options=QUARTER[net])
        for net, n, seed in grid
    )


def layer_jobs(size: Size) -> tuple[ImageNetJob, ...]:
    """Those whose layers are measured: jobs of `net_jobs` too, so that both studies can share a folder."""
    return tuple(job for job in net_jobs(size) if job.layers)


def _job(net: str, n_train: int, seed: int, epochs: int, **more: Any) -> ImageNetJob:
    layers = net in LAYER_KINDS and n_train == max(SIZES)
    return ImageNetJob(net, paper_task(), n_train, seed, epochs, layers=layers, **more)


def _draw(tables: Tables) -> dict[str, Figure]:
    """Rows are numbers of training rows, so that what goes with the error does not go with them alone."""
    from scaledetect.plots.style import PANELS, NotebookFigure

    nets = tables["nets"]
    nets = nets[nets["status"] != "diverged"]
    sizes = sorted(nets["n_train"].unique())
    figure = NotebookFigure(figsize=(10.0, 0.9 + 2.7 * len(sizes)), layout="constrained")
    grid = figure.subplots(len(sizes), 3, sharey=True, squeeze=False)
    for row, n_train in zip(grid, sizes, strict=True):
        mine = nets[nets["n_train"] == n_train]
        for axes, (name, (heading, _)) in zip(row, PANELS.items(), strict=True):
            _panel(axes, mine, name)
            axes.set_title(heading if n_train == sizes[0] else "", fontsize=10)
            axes.set_xlabel(rf"${name}$ of the output" if n_train == sizes[-1] else "")
        row[0].set_ylabel(f"test error, P = {n_train}")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False, fontsize=9)
    return {"": figure}


def _panel(axes: Axes, nets: pd.DataFrame, name: str) -> None:
    from scaledetect.plots.style import COLORS, MARKERS, legible_ticks

    floor = 0.5 / 2048  # where a net without a wrong row is drawn
    for index, net in enumerate(net for net in PAPER_KINDS if net in set(nets["net"])):
        mine = nets[nets["net"] == net]
        axes.errorbar(
            mine[name], mine["test_error"].clip(lower=floor), xerr=mine[f"{name}_stderr"],
            fmt=MARKERS[(index + index // len(COLORS)) % len(MARKERS)], color=COLORS[index % len(COLORS)], markersize=5,
            capsize=2, label=LABELS.get(net, net),
        )  # fmt: skip
    axes.set(xscale="log", yscale="log")
    axes.spines[["top", "right"]].set_visible(False)
    for axis in (axes.xaxis, axes.yaxis):
        legible_ticks(axis)


STUDY = Study(
    "deep-nets", "Test error of deep nets against D, G and R of their output", "8", net_jobs, _draw, writes=("nets",),
    folder="deep-nets",
)  # fmt: skip
