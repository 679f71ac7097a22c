"""The figure of filter spectra: before and after training, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import MaxNLocator

from scaledetect._base.errors import bad_value
from scaledetect.plots.style import COLORS, MARKERS, NotebookFigure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaledetect.probes import FilterSpectrum

__all__ = ["draw_spectra", "plot_spectra"]

_GREY = "#666666"
_SHADES = colormaps["viridis"](np.linspace(0, 0.88, 256))


def plot_spectra(spectra: FilterSpectrum | Mapping[str, FilterSpectrum], *, title: str = "") -> Figure:
    """Spectrum of each layer's filters against the eigenvalue, and the constant mode's share against depth.

    Parameters
    ----------
    spectra : FilterSpectrum or mapping of str to FilterSpectrum
        One net, or several with their labels, such as the same one before and after training: a panel each.
    title : str, optional

    Returns
    -------
    Figure
        For each eigenvalue its share, divided by that of white filters (grey, at 1); below 0.001 nothing is drawn.
        Layers are coloured by depth. The last panel shows the share of the constant for all nets, white filters in
        grey. 1 x 1 convolutions, whose share is 1 whatever they are, are left out.

    Raises
    ------
    ValueError
        When there is nothing to draw: no spectrum, or only 1 x 1 convolutions.
    """
    curves = dict(spectra) if isinstance(spectra, Mapping) else {"": spectra}
    if not any((~curve.pointwise).any() for curve in curves.values()):
        raise bad_value("spectra", list(curves), "has no layer with filters of more than one pixel")
    figure = NotebookFigure(figsize=(3.4 * (1 + len(curves)), 3.4), layout="constrained")
    draw_spectra(figure, curves)
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


def draw_spectra(figure: FigureBase, curves: Mapping[str, FilterSpectrum]) -> None:
    """Draw a panel for each net and one of the constant into a figure, or a part of one."""
    *panels, last = figure.subplots(1, 1 + len(curves))
    deepest = max(len(curve) for curve in curves.values())
    # Yellow is left out: it is lost on white.
    colours = ScalarMappable(BoundaryNorm(np.arange(0.5, deepest + 1), 256), ListedColormap(_SHADES))
    for axes, (label, curve) in zip(panels, curves.items(), strict=True):
        _spectrum(axes, curve, colours)
        axes.set_title(label or "Filter spectrum", fontsize=10)
    _same_range(panels)
    panels[0].set_ylabel(r"$P_\lambda$, relative to white filters")
    figure.colorbar(colours, ax=panels, label=r"layer $k$", ticks=MaxNLocator(6, integer=True))
    _constant(last, curves)


def _spectrum(axes: Axes, curve: FilterSpectrum, colours: ScalarMappable) -> None:
    for k, (level, pointwise) in enumerate(zip(curve.levels, curve.pointwise, strict=True), start=1):
        if pointwise:
            continue
        ratio = level.P * level.modes.sum() / level.modes
        axes.plot(
            level.eigenvalues,
            np.where(ratio > 0, ratio, np.nan),
            "o-",
            color=colours.to_rgba(np.array(k)),
            markersize=3,
        )
    axes.axhline(1, color=_GREY, linewidth=0.8, zorder=0)
    axes.set(yscale="log", xlabel=r"eigenvalue $\lambda$")
    axes.spines[["top", "right"]].set_visible(False)


def _same_range(panels: list[Axes]) -> None:
    """One range for all, and no less than a decade: the scatter of white filters is not to look like a spectrum."""
    limits = np.array([axes.get_ylim() for axes in panels])
    for axes in panels:
        axes.set_ylim(max(min(limits.min(), 0.3), 1e-3), max(limits.max(), 3))


def _constant(axes: Axes, curves: Mapping[str, FilterSpectrum]) -> None:
    for index, (label, curve) in enumerate(curves.items()):
        shown = ~curve.pointwise
        depth = np.flatnonzero(shown) + 1
        color, marker = COLORS[index % len(COLORS)], MARKERS[index % len(MARKERS)]
        axes.plot(depth, curve.constant[shown], color=color, marker=marker, markersize=4.5, label=label)
        white = [1 / P.size for P, show in zip(curve.P, shown, strict=True) if show]
        axes.plot(depth, white, color=_GREY, linewidth=0.8, zorder=0)
    axes.set_title("Share of the constant", fontsize=10)
    axes.set(xlabel=r"layer $k$", ylabel=r"$P_0$", ylim=(0, 1.02))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    if any(curves):
        axes.legend(frameon=False, fontsize=9)
