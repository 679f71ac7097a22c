"""The figure of single-pixel profiles: how alike the responses of a net to two pixels are, against their distance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from scaledetect._base.errors import bad_value
from scaledetect.plots.style import COLORS, GREY, MARKERS, NotebookFigure
from scaledetect.results import ClusterProfile

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_cluster_profile"]

# Yellow is left out: it is lost on white.
_SHADES = ListedColormap(colormaps["viridis"](np.linspace(0, 0.88, 256)))


def plot_cluster_profile(profiles: ClusterProfile | Mapping[str, ClusterProfile], *, title: str = "") -> Figure:
    """C(z) / C(0) of each layer against the distance z, and C(1) / C(0) against depth.

    Parameters
    ----------
    profiles : ClusterProfile or mapping of str to ClusterProfile
        One net, or several with their labels, such as the same one before and after training: a panel each.
    title : str, optional

    Returns
    -------
    Figure
        Layers are coloured by depth; the last panel shows the neighbour correlation of all nets.

    Raises
    ------
    ValueError
        When there is nothing to draw.
    """
    curves = {"": profiles} if isinstance(profiles, ClusterProfile) else dict(profiles)
    if not any(np.isfinite(curve.profile).any() for curve in curves.values()):
        raise bad_value("profiles", list(curves), "has no layer that responds to a pixel")
    figure = NotebookFigure(figsize=(3.4 * (1 + len(curves)), 3.4), layout="constrained")
    *panels, last = figure.subplots(1, 1 + len(curves))
    deepest = max(len(curve) for curve in curves.values())
    colours = ScalarMappable(BoundaryNorm(np.arange(0.5, deepest + 1), 256), _SHADES)
    low = min(0.0, *(float(np.nanmin(curve.profile)) for curve in curves.values()))
    for axes, (label, curve) in zip(panels, curves.items(), strict=True):
        for k, row in enumerate(curve.profile, start=1):
            axes.plot(curve.z, row, color=colours.to_rgba(np.array(k)), linewidth=1.2)
        axes.set(xlabel=r"distance $z$ (pixels)", ylim=(low - 0.03, 1.03))
        axes.set_title(label or "Profile of one pixel", fontsize=10)
    panels[0].set_ylabel(r"$\langle\varphi(p), \varphi(p+z)\rangle$, relative")
    figure.colorbar(colours, ax=panels, label=r"layer $k$", ticks=MaxNLocator(6, integer=True))
    _neighbours(last, curves)
    for axes in (*panels, last):
        axes.axhline(0, color=GREY, linewidth=0.8, zorder=0)
        axes.spines[["top", "right"]].set_visible(False)
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


def _neighbours(axes: Axes, curves: Mapping[str, ClusterProfile]) -> None:
    for index, (label, curve) in enumerate(curves.items()):
        style: dict[str, Any] = {"color": COLORS[index % len(COLORS)], "marker": MARKERS[index % len(MARKERS)]}
        axes.plot(np.arange(1, len(curve) + 1), curve.neighbour_correlation, markersize=4.5, label=label, **style)
    axes.set_title("Correlation of neighbours", fontsize=10)
    axes.set(xlabel=r"layer $k$", ylabel=r"$C(1) / C(0)$")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if any(curves):
        axes.legend(frameon=False, fontsize=9)
