"""Learning curves of many methods, a panel a task, and their sample complexity against the size of the lattice."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scaledetect._base.errors import bad_value
from scaledetect.plots.style import COLORS, GREY, MARKERS, legible_ticks

__all__ = ["ScalingCurve", "plot_learning_curves", "plot_scaling"]

COLUMNS = 4

LABEL_HEIGHT = 0.08
"""Of an exponent beside its line, as a share of the height of a panel."""


@dataclass(frozen=True)
class ScalingCurve:
    """Sample complexity of one method at several sizes.

    Attributes
    ----------
    sizes : sequence of int
        L, where P* was reached.
    values : sequence of float
        P* at each.
    intervals : sequence of pair of (float or None)
        Ends of its interval; None for one that is open.
    beyond : sequence of pair of float
        (L, largest P) of the sizes where it was not reached.
    exponent : float or None
        Slope of ln P* in ln L; drawn as a line through the mean of the points of `fitted`.
    fitted : sequence of int
        Sizes it is fitted over.
    """

    sizes: Sequence[int]
    values: Sequence[float]
    intervals: Sequence[tuple[float | None, float | None]]
    beyond: Sequence[tuple[float, float]] = ()
    exponent: float | None = None
    fitted: Sequence[int] = ()


def plot_learning_curves(
    curves: Mapping[str, Mapping[str, tuple[Sequence[float], Sequence[float], Sequence[float]]]],
    *,
    baselines: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
    level: float = 0.1,
    order: Iterable[str] = (),
) -> Figure:
    """Test error against the number of training images, a panel a task.

    Parameters
    ----------
    curves : mapping of str to (mapping of str to triple of sequences of float)
        By title of a panel and name of a method: P, mean test error, and its standard error.
    baselines : mapping of str to pair of sequences of float, optional
        By title of a panel, P and the error of a learner that knows nothing.
    level : float, default 0.1
        Error that is marked by a line.
    order : iterable of str, optional
        Names in whose order colours and markers are given: figures of one order show a method alike.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        Where there is nothing to draw.
    """
    shown = {title: methods for title, methods in curves.items() if methods}
    if not shown:
        raise bad_value("curves", list(curves), "has no learning curve")
    styles = _styles([name for methods in shown.values() for name in methods], order)
    figure, panels = _panels(len(shown))
    for axes, (title, methods) in zip(panels, shown.items(), strict=False):
        axes.axhline(level, color=GREY, linewidth=0.6)
        if baselines and title in baselines:
            axes.plot(*baselines[title], color=GREY, linestyle=":", linewidth=1)
        for name, (counts, error, spread) in methods.items():
            axes.errorbar(counts, error, yerr=spread, markersize=3.5, linewidth=1, elinewidth=0.7, **styles[name])
        axes.set(ylim=(-0.02, 0.6))
        _powers_of_two(axes, [size for counts, _, _ in methods.values() for size in counts])
        axes.set_title(title, fontsize=9)
        axes.set(xlabel="training images $P$", ylabel="test error")
    notes = {"knows nothing": {"color": GREY, "linestyle": ":", "marker": ""}} if baselines else {}
    _legend(figure, styles, notes)
    return figure


def plot_scaling(
    families: Mapping[str, Mapping[str, ScalingCurve]], *, level: float = 0.1, order: Iterable[str] = ()
) -> Figure:
    """Sample complexity P* against the size L, a panel a family of tasks, with fitted power laws.

    Parameters
    ----------
    families : mapping of str to (mapping of str to ScalingCurve)
        By title of a panel and name of a method.
    level : float, default 0.1
        Test error that P* is of, for the label.
    order : iterable of str, optional
        Names in whose order colours and markers are given: figures of one order show a method alike.

    Returns
    -------
    Figure
        Arrows point up from the largest P tried where P* lies above it.

    Raises
    ------
    ValueError
        Where there is nothing to draw.
    """
    shown = {title: methods for title, methods in families.items() if methods}
    if not shown:
        raise bad_value("families", list(families), "has no sample complexity")
    styles = _styles([name for methods in shown.values() for name in methods], order)
    figure, panels = _panels(len(shown))
    for axes, (title, methods) in zip(panels, shown.items(), strict=False):
        for name, curve in methods.items():
            _draw_scaling(axes, curve, styles[name])
        axes.set_yscale("log")
        axes.set_xscale("log", base=2)
        sizes = sorted({size for curve in methods.values() for size in (*curve.sizes, *(x for x, _ in curve.beyond))})
        axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
        axes.minorticks_off()
        axes.set_xlim(min(sizes) / 1.4, max(sizes) * 2)
        values = [one for curve in methods.values() for one in (*curve.values, *(y for _, y in curve.beyond))]
        # The interval of two seeds may cover many powers of ten.
        axes.set_ylim(min(values) / 4, max(values) * 3)
        _write_exponents(axes, [(curve, styles[name]["color"]) for name, curve in methods.items()])
        legible_ticks(axes.yaxis)
        axes.set_title(title, fontsize=9)
        axes.set(xlabel="size $L$", ylabel=f"$P^*$({100 * level:g} %)")
    beyond = {"above the largest P tried": {"color": GREY, "marker": r"$\uparrow$", "linestyle": "none"}}
    _legend(figure, styles, beyond if any(c.beyond for m in shown.values() for c in m.values()) else {})
    return figure


def _draw_scaling(axes: Axes, curve: ScalingCurve, style: dict[str, Any]) -> None:
    for size, value, (low, high) in zip(curve.sizes, curve.values, curve.intervals, strict=True):
        if low is not None and high is not None:
            axes.plot([size, size], [low, high], color=style["color"], linewidth=0.8)
        axes.plot([size], [value], markersize=4, color=style["color"], marker=style["marker"], linestyle="none")
    for place, largest in curve.beyond:
        axes.plot([place], [largest], color=style["color"], marker=r"$\uparrow$", markersize=7, linestyle="none")
    if curve.exponent is None:
        return
    axes.plot(*_fitted_line(curve), color=style["color"], linewidth=1)


def _fitted_line(curve: ScalingCurve) -> tuple[list[float], list[float]]:
    """L and P* at both ends of the power law through the mean of the points that it was fitted to."""
    logs = [(math.log(s), math.log(v)) for s, v in zip(curve.sizes, curve.values, strict=True) if s in curve.fitted]
    x0, y0 = (sum(part) / len(logs) for part in zip(*logs, strict=True))
    ends = [float(min(curve.fitted)), float(max(curve.fitted))]
    return ends, [math.exp(y0 + (curve.exponent or 0.0) * (math.log(x) - x0)) for x in ends]


def _write_exponents(axes: Axes, curves: Sequence[tuple[ScalingCurve, str]]) -> None:
    """Exponents beside the right ends of their lines; those of one end are moved apart where they would overprint."""
    low, high = (math.log(limit) for limit in axes.get_ylim())
    by_end: dict[float, list[tuple[float, str, str]]] = defaultdict(list)
    for curve, color in curves:
        if curve.exponent is not None:
            sizes, values = _fitted_line(curve)
            by_end[sizes[1]].append((math.log(values[1]), f"$L^{{{curve.exponent:.2f}}}$", color))
    for end, labels in by_end.items():
        labels.sort()
        heights = spread_out([height for height, _, _ in labels], LABEL_HEIGHT * (high - low))
        for height, (_, text, color) in zip(heights, labels, strict=True):
            axes.annotate(
                text, (end, math.exp(height)), color=color, fontsize=8, xytext=(6, 0), textcoords="offset points",
                va="center",
            )  # fmt: skip


def spread_out(places: Sequence[float], gap: float) -> list[float]:
    """Rising `places` moved as little as need be, so that neighbours are at least `gap` apart: least squares.

    Examples
    --------
    >>> spread_out([0.0, 1.0, 1.0, 5.0], 1.0)
    [-0.3333333333333333, 0.6666666666666667, 1.6666666666666667, 5.0]
    """
    # Less k gaps each must not fall: neighbours that would are put at their mean.
    groups: list[list[float]] = []
    for k, place in enumerate(places):
        groups.append([place - k * gap])
        while len(groups) > 1 and fmean(groups[-2]) > fmean(groups[-1]):
            groups[-2:] = [groups[-2] + groups[-1]]
    level = [fmean(group) for group in groups for _ in group]
    return [one + k * gap for k, one in enumerate(level)]


def _styles(names: Sequence[str], order: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Colour and marker of each method, the same in all panels."""
    styles: dict[str, dict[str, Any]] = {
        name: {
            "color": COLORS[k % len(COLORS)],
            "marker": MARKERS[(k + k // len(COLORS)) % len(MARKERS)],
            "linestyle": ("-", "--", ":")[k // len(COLORS) % 3],
            "label": name,
        }
        for k, name in enumerate(dict.fromkeys([*order, *names]))
    }
    return {name: style for name, style in styles.items() if name in names}


def _panels(n: int) -> tuple[Figure, list[Axes]]:
    columns = min(n, COLUMNS)
    rows = math.ceil(n / columns)
    figure = Figure(figsize=(3.2 * columns, 2.9 * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for axes in panels[n:]:
        axes.axis("off")
    return figure, panels


def _powers_of_two(axes: Axes, counts: Sequence[float]) -> None:
    """Every second power of two on the axis of P, as plain numbers."""
    low, high = min(counts), max(counts)
    axes.set_xscale("log", base=2)
    ticks = [2 * 4**k for k in range(12) if low <= 2 * 4**k <= high]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.set_xlim(low / 1.3, high * 1.3)
    axes.minorticks_off()


def _legend(figure: Figure, styles: dict[str, dict[str, Any]], notes: dict[str, dict[str, Any]]) -> None:
    from matplotlib.lines import Line2D

    every = [*styles.values(), *({"label": label, **style} for label, style in notes.items())]
    handles = [Line2D([], [], markersize=4, linewidth=1, **style) for style in every]
    columns = max(2, min(8, len(handles), int(figure.get_size_inches()[0] / 1.6)))
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, fontsize=8, frameon=False)
