"""The figure of the coherent share of noise against depth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_value
from scaledetect.plots.style import COLORS, GREY, MARKERS, NotebookFigure, legible_ticks
from scaledetect.results import CoherentShare

__all__ = ["plot_coherent_share"]

Shares = CoherentShare | Mapping[str, CoherentShare]


def plot_coherent_share(shares: Shares, theory: Shares | None = None, *, title: str = "") -> Figure:
    """Coherent share of each layer: measured points with error bars, theory dashed.

    Parameters
    ----------
    shares : CoherentShare or mapping of str to CoherentShare
        One curve, or several with their labels. Exact ones are drawn as lines, measured ones as points.
    theory : the same, optional
        Exact values; for several curves under the same labels.
    title : str, optional

    Returns
    -------
    Figure
        Against the effective receptive field (log) where all curves know it, else against the layer number.

    Raises
    ------
    ValueError
        When there is nothing to draw, or `theory` has a label that `shares` has not.
    """
    curves, exact = _labelled(shares), {} if theory is None else _labelled(theory)
    if not curves:
        raise bad_value("shares", list(curves), "is empty")
    if unknown := sorted(set(exact) - set(curves)):
        raise bad_value("theory", unknown, f"has labels that are not among those measured: {sorted(curves)}")
    known = all(curve.A is not None for curve in (*curves.values(), *exact.values()))
    figure = NotebookFigure(figsize=(4.6, 3.5), layout="constrained")
    axes = figure.subplots()
    for index, (label, curve) in enumerate(curves.items()):
        color, marker = COLORS[index % len(COLORS)], MARKERS[index % len(MARKERS)]
        x, name = _abscissa(curve, known), label or None
        if label in exact:
            axes.plot(_abscissa(exact[label], known), exact[label].share, "--", color=color, linewidth=1.2)
        if curve.kind == "theory":
            axes.plot(x, curve.share, "--", color=color, linewidth=1.2, label=name)
        else:
            style: dict[str, Any] = {"fmt": marker if label in exact else f"{marker}-", "markersize": 4.5, "capsize": 2}
            axes.errorbar(x, curve.share, curve.stderr, color=color, label=name, **style)
    axes.axhline(0, color=GREY, linewidth=0.8, zorder=0)
    axes.set(ylabel="coherent share of the noise response", ylim=(-0.05, 1.05))
    if known:
        axes.set(xscale="log", xlabel=r"effective receptive field $A_k$ (pixels)")
        legible_ticks(axes.xaxis)
    else:
        axes.set_xlabel(r"layer $k$")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    if any(curves):
        axes.legend(frameon=False, fontsize=9)
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


def _labelled(curves: Shares) -> dict[str, CoherentShare]:
    return {"": curves} if isinstance(curves, CoherentShare) else dict(curves)


def _abscissa(curve: CoherentShare, by_field: bool) -> FloatArray:
    if by_field and curve.A is not None:
        return curve.A
    return np.arange(1.0, len(curve) + 1)
