"""Figures: sensitivities against depth, all comparisons at a glance, and example images.

Each function returns a `matplotlib.figure.Figure` that no global state knows of; save it with ``figure.savefig``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator
from numpy.typing import NDArray

from scaledetect.errors import bad_value, one_of
from scaledetect.results import Exponents, Sensitivities

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

    from scaledetect.experiments import Comparison
    from scaledetect.task import Task

__all__ = ["COLORS", "MARKERS", "PANELS", "legible_ticks", "plot_examples", "plot_overview", "plot_sensitivities"]

# Okabe and Ito: told apart by readers of every colour vision, and in print by their brightness.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "D", "^", "v", "P")
PANELS = {
    "D": ("Sensitivity to deformation", r"$D_k$"),
    "G": ("Sensitivity to noise", r"$G_k$"),
    "R": ("Relative sensitivity", r"$R_k = D_k / G_k$"),
}
_GREY = "#666666"
_DEPTH = "viridis"

Curves = Sensitivities | Mapping[str, Sensitivities]


def plot_sensitivities(
    s: Curves,
    theory: Curves | None = None,
    *,
    against: Literal["A", "depth"] | None = None,
    exponents: Exponents | Mapping[str, Exponents] | None = None,
    title: str = "",
) -> Figure:
    """D, G and R of each layer in three panels: measured points with error bars, theory dashed.

    Parameters
    ----------
    s : Sensitivities or mapping of str to Sensitivities
        One curve, or several with their labels. Exact ones are drawn as lines, measured ones as points.
    theory : the same, optional
        Exact values; for several curves under the same labels.
    against : {"A", "depth"}, optional
        Horizontal axis: effective receptive field in pixels (log), or layer number. Default: "A" where all curves
        know it.
    exponents : Exponents or mapping of str to Exponents, optional
        Predicted power laws in A, drawn in grey behind the middle layers.
    title : str, optional

    Returns
    -------
    Figure
        A triangle on the lower edge marks a value of exactly 0, which a log axis cannot show.

    Raises
    ------
    ValueError
        When `theory` has a label that `s` has not, or `against="A"` and a curve does not know A.
    """
    curves, exact = _labelled(s), _labelled(theory)
    laws = {"": exponents} if isinstance(exponents, Exponents) else dict(exponents or {})
    if unknown := sorted((set(exact) | set(laws)) - set(curves)):
        raise bad_value("theory", unknown, f"has labels that are not among those measured: {sorted(curves)}")
    axis = _horizontal(against, list(curves.values()) + list(exact.values()))
    figure = Figure(figsize=(10.0, 3.5), layout="constrained")
    panels = figure.subplots(1, 3)
    for axes, name in zip(panels, PANELS, strict=True):
        for index, (label, curve) in enumerate(curves.items()):
            _draw(axes, curve, exact.get(label), name, axis, index)
            if label in laws and axis == "A":
                _guide(axes, exact.get(label, curve), name, getattr(laws[label], name))
        _dress(axes, name, axis)
    _legend(figure, curves, exact)
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


def plot_overview(comparisons: Sequence[Comparison]) -> Figure:
    """All comparisons at a glance: measured against exact values, and the z-score of every layer by card."""
    if not comparisons:
        raise bad_value("comparisons", list(comparisons), "is empty")
    cards = list(dict.fromkeys(one.card for one in comparisons))
    figure = Figure(figsize=(10.0, 1.6 + 0.36 * max(len(cards), 6)), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
    for index, name in enumerate(PANELS):
        style = {"color": COLORS[index], "linestyle": "none", "marker": MARKERS[index], "alpha": 0.7}
        exact = np.concatenate([getattr(one.theory, name) for one in comparisons])
        seen = np.concatenate([getattr(one.measured, name) for one in comparisons])
        shown = (exact > 0) & (seen > 0)
        left.plot(exact[shown], seen[shown], markersize=4, label=rf"${name}$", **style)
        score = np.concatenate([one.z[name] for one in comparisons])
        row = np.concatenate([np.full(len(one.measured), cards.index(one.card)) for one in comparisons])
        right.plot(score, row + 0.22 * (index - 1), markersize=3, **style)
    left.set(xscale="log", yscale="log", xlabel="exact", ylabel="measured")
    left.axline((1, 1), (10, 10), color=_GREY, linewidth=0.8, zorder=0)
    left.legend(frameon=False)
    right.axvspan(-1, 1, color="0.92", zorder=0)
    right.axvline(0, color=_GREY, linewidth=0.8, zorder=0)
    right.set(xlabel="(measured - exact) / standard error", yticks=range(len(cards)), xlim=(-5.5, 5.5))
    right.set_yticklabels(cards, fontsize=8)
    right.invert_yaxis()
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def plot_examples(task: Task, *, n: int = 4, seed: int = 0) -> Figure:
    """Near images in the upper row, far ones in the lower: strips in 1-D, images in 2-D, projections in 3-D.

    Parameters
    ----------
    task : Task
    n : int, default 4
        Images of each class; at most 12.
    seed : int, default 0
        Seed of the stream: the first `n` of each class are shown.
    """
    from scaledetect.sampling import sample_pairs

    if not 1 <= n <= 12:
        raise bad_value("n", n, "must lie in 1..12")
    pairs, labels = sample_pairs(task, _rows_for(task, n), seed=seed)
    flat = task.dim == 1
    figure = Figure(figsize=(9.0, 0.9 + 0.55 * n) if flat else (0.6 + 1.9 * n, 4.2), layout="constrained")
    grid = figure.subplots(n, 2, squeeze=False, sharex=True).T if flat else figure.subplots(2, n, squeeze=False)
    draw = {1: _strip, 2: _image, 3: _projection}[task.dim]
    for row, (label, name) in enumerate(((1, "near"), (-1, "far"))):
        for axes, pair in zip(grid[row], pairs[labels == label], strict=False):
            draw(axes, pair, task)
        if flat:
            grid[row][0].set_title(name, fontsize=10)
            grid[row][-1].set_xlabel("site (pixels)")
        else:
            grid[row][0].set_ylabel(name, fontsize=10)
    if task.dim == 3:
        depth = ScalarMappable(Normalize(0, task.size - 1), _DEPTH)
        figure.colorbar(depth, ax=grid, label="third coordinate (pixels)", shrink=0.6)
    return figure


# ---------------------------------------------------------------------- panels


def _labelled(curves: Curves | None) -> dict[str, Sensitivities]:
    if curves is None:
        return {}
    return {"": curves} if isinstance(curves, Sensitivities) else dict(curves)


def _horizontal(against: str | None, curves: list[Sensitivities]) -> str:
    known = all(curve.A is not None for curve in curves)
    if against is None:
        return "A" if known else "depth"
    one_of("against", against, ("A", "depth"))
    if against == "A" and not known:
        raise bad_value("against", against, "a net does not state its receptive field", 'choose against="depth"')
    return against


def _abscissa(curve: Sensitivities, against: str) -> NDArray[np.float64]:
    return curve.A if against == "A" and curve.A is not None else curve.depth.astype(np.float64)


def _draw(axes: Axes, curve: Sensitivities, exact: Sensitivities | None, name: str, against: str, index: int) -> None:
    color, marker = COLORS[index % len(COLORS)], MARKERS[index % len(MARKERS)]
    if exact is not None:
        x, y = _abscissa(exact, against), getattr(exact, name)
        axes.plot(x, np.where(y > 0, y, np.nan), "--", color=color, linewidth=1.2)
    x, y = _abscissa(curve, against), getattr(curve, name)
    shown = np.where(y > 0, y, np.nan)
    if curve.kind == "theory":
        axes.plot(x, shown, "--", color=color, linewidth=1.2)
    else:
        error = getattr(curve, name + "_stderr")
        axes.errorbar(x, shown, error, fmt=marker, color=color, markersize=4.5, capsize=2)
        if exact is None:
            # No exact curve guides the eye: a line through the points, and a band of one standard error.
            axes.plot(x, shown, "-", color=color, linewidth=1.2)
            axes.fill_between(x, shown - error, shown + error, color=color, alpha=0.2, linewidth=0)
    zero = x[y == 0]
    low = np.full(zero.shape, 0.02)
    axes.plot(zero, low, "v", transform=axes.get_xaxis_transform(), color=color, markersize=5, fillstyle="none")


def _guide(axes: Axes, curve: Sensitivities, name: str, exponent: float) -> None:
    """The power law through the middle layer, over the middle half of the layers: the ends feel pixels and borders."""
    x, y = _abscissa(curve, "A"), getattr(curve, name)
    good = np.flatnonzero(y > 0)
    if good.size < 3:
        return
    middle, part = good[good.size // 2], x[good[good.size // 4 : -(good.size // 4) or None]]
    axes.plot(part, y[middle] * (part / x[middle]) ** exponent, color="0.6", linewidth=5, alpha=0.4, zorder=0)


def _dress(axes: Axes, name: str, against: str) -> None:
    heading, symbol = PANELS[name]
    axes.set_title(heading, fontsize=10)
    axes.set_ylabel(symbol)
    axes.set_yscale("log")
    legible_ticks(axes.yaxis)
    axes.spines[["top", "right"]].set_visible(False)
    if against == "A":
        axes.set_xscale("log")
        legible_ticks(axes.xaxis)
        axes.set_xlabel(r"effective receptive field $A_k$ (pixels)")
    else:
        axes.set_xlabel(r"layer $k$")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def legible_ticks(axis: Axis) -> None:
    """Numbers a reader can place: powers of ten over a wide range, plain numbers over a narrow one."""
    low, high = axis.get_view_interval()
    if high > 50 * low:
        axis.set_minor_formatter(NullFormatter())
        return
    steps = (1, 2, 5) if high > 4 * low else (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def _legend(figure: Figure, curves: Mapping[str, Sensitivities], exact: Mapping[str, Sensitivities]) -> None:
    entries = []
    for index, (label, curve) in enumerate(curves.items()):
        if label:
            marker = "none" if curve.kind == "theory" else MARKERS[index % len(MARKERS)]
            color = COLORS[index % len(COLORS)]
            style: Literal["-", "--"] = "-" if curve.kind == "measured" and label not in exact else "--"
            entries.append(Line2D([], [], color=color, marker=marker, markersize=4.5, linestyle=style, label=label))
    if exact:
        entries.append(Line2D([], [], color=_GREY, marker="o", linestyle="none", markersize=4.5, label="measured"))
        entries.append(Line2D([], [], color=_GREY, linestyle="--", label="exact"))
    if entries:
        figure.legend(handles=entries, loc="outside lower center", ncols=len(entries), frameon=False, fontsize=9)


# ---------------------------------------------------------------------- examples


def _rows_for(task: Task, n: int) -> int:
    """Length of the shortest prefix of the stream with `n` images of each class."""
    if task.balance == "equal":
        return 2 * n
    rarer, everything = min(task.n_near, task.n_far), task.n_near + task.n_far
    return min(everything, -(-n * everything // rarer) + 1)


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
