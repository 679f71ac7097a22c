"""Drawings of D, G and R against depth: rows are quantities, columns are nets on tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from scaledetect._base.array_types import FloatArray
from scaledetect.plots.style import COLORS, PANELS, NotebookFigure, legible_ticks
from scaledetect.reproduce.study import Tables
from scaledetect.theory import exponents

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COLUMNS", "MAIN", "draw_depth", "seeds_by_layer"]

Channels = Literal["each", "mean"]

NOISE = "rectified_noise"
"""The noise of the paper's one-dimensional code."""

MAIN = ("distance-F3-s1", "distance-F2-s1", "block-F2-s2")
"""The paper's columns: the distance task without stride, the block task with s = F = 2."""

COLUMNS = 4
"""Columns of a sheet of other nets."""


@dataclass(frozen=True)
class Style:
    """How a curve is drawn, and what the legend says of it."""

    curve: str
    label: str
    color: str
    line: Any
    marker: str = ""


MEASURED = (
    Style("initial", "at initialisation", COLORS[0], "--", "o"),
    Style("trained", "trained", COLORS[0], "-", "o"),
    Style("shuffled", "trained, channels shuffled", COLORS[1], "-", "s"),
)
THEORY = (
    Style("constant filters", "constant filters, exact", COLORS[2], ":"),
    Style("trained mean filters", "theory of the trained mean filters", COLORS[3], "-."),
)


def draw_depth(tables: Tables) -> dict[str, Figure]:
    """The paper's figure (channel means), the same with single channels, and sheets of the other nets and tasks."""
    curves = tables["curves"]
    curves = curves[curves["noise"] == NOISE]
    present = list(dict.fromkeys(curves["job"]))
    main = [job for job in MAIN if job in present]
    others = [job for job in present if job not in MAIN]
    figures = {"": _figure(curves, main, "mean"), "channels": _figure(curves, main, "each")} if main else {}
    sheets = [others[start : start + COLUMNS] for start in range(0, len(others), COLUMNS)]
    return figures | {f"others-{sheet}": _figure(curves, jobs, "each") for sheet, jobs in enumerate(sheets, start=1)}


def seeds_by_layer(curves: pd.DataFrame, name: str) -> tuple[FloatArray, FloatArray]:
    """A of each layer, shape (K,), and the values of each seed, shape (n_seeds, K)."""
    table = curves.pivot_table(index="seed", columns="k", values=name, dropna=False)
    A = curves.groupby("k")["A"].first()
    return A.to_numpy(dtype=np.float64), table.to_numpy(dtype=np.float64)


def _figure(curves: pd.DataFrame, jobs: Sequence[str], channels: Channels) -> Figure:
    figure = NotebookFigure(figsize=(0.6 + 3.6 * len(jobs), 8.6), layout="constrained")
    panels = figure.subplots(3, len(jobs), squeeze=False, sharex="col")
    for column, job in zip(panels.T, jobs, strict=True):
        rows = curves[curves["job"] == job]
        for axes, name in zip(column, PANELS, strict=True):
            for style in MEASURED:
                _measured(axes, rows[(rows["curve"] == style.curve) & (rows["channels"] == channels)], name, style)
            for style in _theories(channels):
                _theory(axes, rows[rows["curve"] == style.curve], name, style)
            _guide(axes, rows, name, channels)
        _dress(column, rows, job)
    _legend(figure, channels)
    return figure


def _theories(channels: Channels) -> tuple[Style, ...]:
    """Mean filters speak of channel means only."""
    return THEORY if channels == "mean" else THEORY[:1]


def _measured(axes: Axes, rows: pd.DataFrame, name: str, style: Style) -> None:
    """Mean over seeds, and a band of one standard error of it."""
    if rows.empty:
        return
    A, values = seeds_by_layer(rows, name)
    mean = values.mean(axis=0)
    axes.plot(A, mean, style.line, color=style.color, marker=style.marker, markersize=4, linewidth=1.5)
    if len(values) > 1:
        error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
        axes.fill_between(A, mean - error, mean + error, color=style.color, alpha=0.2, linewidth=0)


def _theory(axes: Axes, rows: pd.DataFrame, name: str, style: Style) -> None:
    """One exact curve, or the geometric mean over seeds of theirs: it spans decades where a net has become constant."""
    if rows.empty:
        return
    positive = rows[rows[name] > 0]
    means = positive.assign(log=np.log(positive[name])).groupby("k").agg(A=("A", "first"), log=("log", "mean"))
    axes.plot(means["A"], np.exp(means["log"]), color=style.color, linestyle=style.line, linewidth=1.5)


def _guide(axes: Axes, rows: pd.DataFrame, name: str, channels: Channels) -> None:
    """The predicted power law, through the first layer of the trained nets, as far as A is at most xi."""
    trained = rows[(rows["curve"] == "trained") & (rows["channels"] == channels)]
    first = rows.iloc[0]
    law = exponents(filter_size=int(first["filter_size"]), stride=int(first["stride"]), dim=int(first["dim"]))
    A, values = seeds_by_layer(trained, name)
    power = getattr(law, name)
    x = A[: max(2, int((first["xi"] >= A).sum()))]
    y = 1.25 * values[:, 0].mean() * (x / x[0]) ** power
    axes.plot(x, y, color="0.6", linewidth=4, alpha=0.45, zorder=0, solid_capstyle="round")
    text = rf"$A^{{{power:.3g}}}$" if power else "plateau"
    axes.annotate(
        text, (x[-1], y[-1]), xytext=(3, 3), textcoords="offset points", color="0.4", fontsize=8, annotation_clip=False
    )


def _dress(column: Sequence[Axes], rows: pd.DataFrame, job: str) -> None:
    layers = rows.groupby("k")["A"].first()
    for axes, (_, symbol) in zip(column, PANELS.values(), strict=True):
        axes.set(xscale="log", yscale="log", ylabel=symbol)
        legible_ticks(axes.yaxis)
        axes.spines[["right"]].set_visible(False)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks(layers, [f"{A:.3g}" for A in layers])
    column[-1].set_xlabel(r"effective receptive field $A_k$ (pixels)")
    top = column[0].secondary_xaxis("top")
    top.set_xscale("log")
    top.xaxis.set_minor_locator(NullLocator())
    top.set_xticks(layers, [str(k) for k in layers.index])
    top.set_xlabel("layer $k$", fontsize=9)
    column[0].set_title(_title(rows, job), fontsize=10)


def _title(rows: pd.DataFrame, job: str) -> str:
    first = rows.iloc[0]
    extra = job.rpartition(f"s{first['stride']}")[2].strip("-")
    nets = rf"$F = {first['filter_size']}$, $s = {first['stride']}$, width {first['width']}"
    task = f"{first['labelling']} task, {first['dim']}-D"
    return f"{task}: {nets}" + (f"\n{extra}" if extra else "")


def _legend(figure: Figure, channels: Channels) -> None:
    kind = "channel mean" if channels == "mean" else "single channels"
    handles = [_handle(style, f"{style.label} ({kind})") for style in MEASURED]
    handles += [_handle(style, style.label) for style in _theories(channels)]
    handles.append(Line2D([], [], color="0.6", linewidth=4, alpha=0.45, label="predicted power of A"))
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=8.5)


def _handle(style: Style, label: str) -> Line2D:
    return Line2D([], [], color=style.color, linestyle=style.line, marker=style.marker, markersize=4, label=label)
