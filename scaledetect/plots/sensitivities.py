"""Sensitivities against depth or receptive field: measured points with error bars, theory dashed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from scaledetect._base.arguments import one_of
from scaledetect._base.errors import bad_value
from scaledetect.plots.style import COLORS, GREY, MARKERS, PANELS, NotebookFigure, legible_ticks
from scaledetect.results import Exponents, Sensitivities

if TYPE_CHECKING:
    from matplotlib.axes import Axes


__all__ = ["draw_sensitivities", "plot_sensitivities"]


DASHES = ("--", "-.", ":", (0, (6, 1.5, 1.5, 1.5, 1.5, 1.5)))
"""Of several theories beside one curve."""

NAMED_LAYERS = 16
"""Layers whose names have room on an axis."""

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
        Exact values. For several curves under the same labels; for one curve, several theories under their names, each
        drawn as lines of its own.
    against : {"A", "depth"}, optional
        Horizontal axis: effective receptive field in pixels (log), or layers, by name where they are few and have names
        of their own, else by number. Default: "A" where all curves know it.
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
        When `theory` has a label that `s` has not (but for one curve), or `against="A"` and a curve does not know A.
    """
    figure = NotebookFigure(figsize=(10.0, 3.5), layout="constrained")
    draw_sensitivities(figure, s, theory, against=against, exponents=exponents)
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


def draw_sensitivities(
    figure: FigureBase,
    s: Curves,
    theory: Curves | None = None,
    *,
    against: Literal["A", "depth"] | None = None,
    exponents: Exponents | Mapping[str, Exponents] | None = None,
) -> None:
    """Draw the three panels into a figure, or a part of one; arguments are those of `plot_sensitivities`."""
    rivals = dict(theory) if isinstance(s, Sensitivities) and isinstance(theory, Mapping) else {}
    curves, exact = _labelled(s), {} if rivals else _labelled(theory)
    laws = {"": exponents} if isinstance(exponents, Exponents) else dict(exponents or {})
    if unknown := sorted((set(exact) | set(laws)) - set(curves)):
        raise bad_value("theory", unknown, f"has labels that are not among those measured: {sorted(curves)}")
    axis = _horizontal(against, [*curves.values(), *exact.values(), *rivals.values()])
    panels = figure.subplots(1, 3)
    for axes, name in zip(panels, PANELS, strict=True):
        for index, (label, curve) in enumerate(curves.items()):
            _draw(axes, curve, exact.get(label), name, axis, index, alone=not rivals)
            if label in laws and axis == "A":
                _guide(axes, exact.get(label, curve), name, getattr(laws[label], name))
        for index, rival in enumerate(rivals.values()):
            x, y = _abscissa(rival, axis, beside=curves[""]), getattr(rival, name)
            axes.plot(x, np.where(y > 0, y, np.nan), marker=_lone(y), **_rival_style(index))
        _dress(axes, name, axis, _names([*curves.values(), *exact.values(), *rivals.values()]))
    _legend(figure, curves, exact, rivals)


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


def _abscissa(curve: Sensitivities, against: str, *, beside: Sensitivities | None = None) -> NDArray[np.float64]:
    """Where its layers are drawn; those of a theory of a few layers `beside` a curve of them all, in its places."""
    if against == "A" and curve.A is not None:
        return curve.A
    if beside is not None and set(curve.layers) <= set(beside.layers):
        return np.array([beside.layers.index(layer) + 1 for layer in curve.layers], dtype=np.float64)
    return curve.depth.astype(np.float64)


def _lone(y: NDArray[np.float64]) -> str:
    """A marker for a single number, of which a line shows nothing."""
    return "_" if np.isfinite(y).sum() == 1 else ""


def _rival_style(index: int) -> dict[str, Any]:
    """Colour and dashes of the theory number `index` of several beside one curve, which is of the first colour."""
    return {
        "color": COLORS[1 + index % (len(COLORS) - 1)],
        "linestyle": DASHES[index % len(DASHES)],
        "linewidth": 1.4,
    }


def _draw(
    axes: Axes,
    curve: Sensitivities,
    exact: Sensitivities | None,
    name: str,
    against: str,
    index: int,
    *,
    alone: bool,
) -> None:
    color, marker = COLORS[index % len(COLORS)], MARKERS[index % len(MARKERS)]
    if exact is not None:
        x, y = _abscissa(exact, against, beside=curve), getattr(exact, name)
        axes.plot(x, np.where(y > 0, y, np.nan), "--", marker=_lone(y), color=color, linewidth=1.2)
    x, y = _abscissa(curve, against), getattr(curve, name)
    shown = np.where(y > 0, y, np.nan)
    if curve.kind == "theory":
        axes.plot(x, shown, "--", color=color, linewidth=1.2)
    else:
        error = getattr(curve, name + "_stderr")
        axes.errorbar(x, shown, error, fmt=marker, color=color, markersize=4.5, capsize=2)
        if exact is None and alone:
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


def _names(curves: list[Sensitivities]) -> tuple[str, ...]:
    """Names of the layers, where they are few, those of all curves, and say more than numbers."""
    layers = curves[0].layers
    numbers = all(re.fullmatch(r"layer\d+|\d+", name) for name in layers)
    shared = all(set(curve.layers) <= set(layers) for curve in curves)
    return () if numbers or not shared or len(layers) > NAMED_LAYERS else layers


def _dress(axes: Axes, name: str, against: str, layers: tuple[str, ...]) -> None:
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
    elif layers:
        axes.set_xticks(range(1, len(layers) + 1), layers, rotation=90, fontsize=8)
    else:
        axes.set_xlabel(r"layer $k$")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _legend(
    figure: FigureBase,
    curves: Mapping[str, Sensitivities],
    exact: Mapping[str, Sensitivities],
    rivals: Mapping[str, Sensitivities],
) -> None:
    entries = []
    if rivals:
        kind = next(iter(curves.values())).kind
        marker: str = "o" if kind == "measured" else "none"
        line: Literal["none", "--"] = "none" if kind == "measured" else "--"
        entries.append(Line2D([], [], color=COLORS[0], marker=marker, markersize=4.5, linestyle=line, label=kind))
        entries += [Line2D([], [], label=name, **_rival_style(index)) for index, name in enumerate(rivals)]
    for index, (label, curve) in enumerate(curves.items()):
        if label:
            marker = "none" if curve.kind == "theory" else MARKERS[index % len(MARKERS)]
            color = COLORS[index % len(COLORS)]
            style: Literal["-", "--"] = "-" if curve.kind == "measured" and label not in exact else "--"
            entries.append(Line2D([], [], color=color, marker=marker, markersize=4.5, linestyle=style, label=label))
    if exact:
        entries.append(Line2D([], [], color=GREY, marker="o", linestyle="none", markersize=4.5, label="measured"))
        entries.append(Line2D([], [], color=GREY, linestyle="--", label="theory"))
    if entries:
        figure.legend(
            handles=entries, loc="outside lower center", ncols=min(len(entries), 5), frameon=False, fontsize=9
        )
