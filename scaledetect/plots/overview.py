"""Figures of several panels: all comparisons of theory and measurement at a glance, and the report of one net."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from scaledetect._base.errors import bad_value
from scaledetect.plots.filter_spectra import draw_spectra
from scaledetect.plots.sensitivities import draw_sensitivities
from scaledetect.plots.style import COLORS, GREY, MARKERS, PANELS, NotebookFigure

if TYPE_CHECKING:
    from scaledetect.probes import FilterSpectrum
    from scaledetect.results import Sensitivities
    from scaledetect.results.theory_comparison import TheoryComparison

__all__ = [
    "plot_net_report",
    "plot_overview",
]


def plot_overview(comparisons: Sequence[TheoryComparison]) -> Figure:
    """All comparisons at a glance: measured against exact values, and the z-score of every layer by card."""
    if not comparisons:
        raise bad_value("comparisons", list(comparisons), "is empty")
    cards = list(dict.fromkeys(one.card for one in comparisons))
    figure = NotebookFigure(figsize=(10.0, 1.6 + 0.36 * max(len(cards), 6)), layout="constrained")
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
    left.axline((1, 1), (10, 10), color=GREY, linewidth=0.8, zorder=0)
    left.legend(frameon=False)
    right.axvspan(-2, 2, color="0.94", zorder=0, label="|z| < 2: 95 % of exact points")
    right.axvspan(-1, 1, color="0.88", zorder=0, label="|z| < 1: 68 %")
    right.axvline(0, color=GREY, linewidth=0.8, zorder=0)
    right.set(xlabel="(measured - exact) / standard error", yticks=range(len(cards)), xlim=(-5.5, 5.5))
    right.set_yticklabels(cards, fontsize=8)
    right.invert_yaxis()
    left.set_title("Measured against exact, every layer", fontsize=10)
    right.set_title("Deviation of every layer, by card", fontsize=10)
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower right", ncols=2, frameon=False, fontsize=8)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def plot_net_report(
    curves: Mapping[str, Sensitivities], spectra: Mapping[str, FilterSpectrum], *, title: str = ""
) -> Figure:
    """D, G and R of each layer of a net before and after training and with shuffled channels, and its filter spectra.

    Parameters
    ----------
    curves : mapping of str to Sensitivities
        Such as ``NetReport.curves``, drawn against the number of the layer.
    spectra : mapping of str to FilterSpectrum
        Those of filters of more than one pixel are drawn; without any, the lower row is left out.
    title : str, optional

    Returns
    -------
    Figure
    """
    shown = {label: spectrum for label, spectrum in spectra.items() if not spectrum.pointwise.all()}
    figure = NotebookFigure(figsize=(10.5, 7.0 if shown else 3.5), layout="constrained")
    upper, *lower = figure.subfigures(2 if shown else 1, 1, squeeze=False)[:, 0]
    draw_sensitivities(upper, curves, against="depth")
    if lower:
        draw_spectra(lower[0], shown)
    if title:
        figure.suptitle(title, fontsize=11)
    return figure
