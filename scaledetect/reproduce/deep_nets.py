"""Test error of deep nets against D, G and R of their output."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scaledetect.reproduce.image_job import ImageNetJob
from scaledetect.reproduce.study import Job, Size, Study, Tables
from scaledetect.task.cards import load_task
from scaledetect.task.task import Task

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["LABELS", "STUDY", "paper_task"]

LABELS = {
    "lenet": "LeNet",
    "alexnet": "AlexNet",
    "vgg11": "VGG11",
    "vgg11_bn": "VGG11, batch norm",
    "resnet18": "ResNet18",
}
RATES = {"lenet": 2e-3, "alexnet": 3e-4, "vgg11": 3e-4, "vgg11_bn": 1e-3, "resnet18": 1e-3}

LAPTOP = {
    "lenet": ((128, 256, 512, 1024, 2048), 3),
    "alexnet": ((128, 512), 1),
    "vgg11": ((128, 512), 1),
    "vgg11_bn": ((128, 512), 1),
    "resnet18": ((128,), 1),
}
"""Training rows, and how many seeds."""

STEPS = {"lenet": 1000, "resnet18": 96}
"""Batches of 32 at laptop size; 128 for the other nets."""


def paper_task() -> Task:
    """The paper's two-dimensional task, in images of |x|^2 = N: D, G and R do not depend on the amplitude."""
    return replace(load_task("distance-2d-L28-xi14-gap2-open"), amplitude="norm")


def _jobs(size: Size) -> tuple[Job, ...]:
    task = paper_task()
    if size == "paper":
        grid = [(net, n, seed) for n in (512, 1024, 2048, 4096, 8192) for net in LABELS for seed in range(5)]
        return tuple(ImageNetJob(net, task, n, seed, RATES[net], steps=4000, draws=10_000) for net, n, seed in grid)
    grid = [(net, n, seed) for net, (sizes, seeds) in LAPTOP.items() for n in sizes for seed in range(seeds)]
    return tuple(ImageNetJob(net, task, n, seed, RATES[net], steps=STEPS.get(net, 128)) for net, n, seed in grid)


def _draw(tables: Tables) -> dict[str, Figure]:

    from scaledetect.plots.style import PANELS, NotebookFigure

    nets = tables["nets"]
    nets = nets[nets["status"] != "diverged"]
    figure = NotebookFigure(figsize=(10.0, 3.6), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    for axes, (name, (heading, _)) in zip(panels, PANELS.items(), strict=True):
        _panel(axes, nets, name)
        rho = _rank_correlation(nets, name)
        axes.set_title(f"{heading}\nrank correlation with error {rho:.2f}, {len(nets)} nets", fontsize=9)
    panels[0].set_ylabel("test error")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False, fontsize=9)
    return {"": figure}


def _panel(axes: Axes, nets: pd.DataFrame, name: str) -> None:
    from scaledetect.plots.style import COLORS, MARKERS, legible_ticks

    floor = 0.5 / 2048  # where a net without a wrong row is drawn
    for index, (net, label) in enumerate(LABELS.items()):
        mine = nets[nets["net"] == net]
        axes.errorbar(
            mine[name], mine["test_error"].clip(lower=floor), xerr=mine[f"{name}_stderr"], fmt=MARKERS[index],
            color=COLORS[index], markersize=5, capsize=2, label=label,
        )  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel=rf"${name}$ of the output")
    axes.spines[["top", "right"]].set_visible(False)
    for axis in (axes.xaxis, axes.yaxis):
        legible_ticks(axis)


def _rank_correlation(nets: pd.DataFrame, name: str) -> float:
    return float(nets[name].rank().corr(nets["test_error"].rank()))


STUDY = Study("deep-nets", "Test error of deep nets against D, G and R of their output", "8", _jobs, _draw)
