"""The panel of one net: D, G and R by layer above, filter spectra below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from scaledetect.plots.filter_spectra import draw_spectra
from scaledetect.plots.sensitivities import draw_sensitivities
from scaledetect.plots.style import NotebookFigure

if TYPE_CHECKING:
    from scaledetect.probes import FilterSpectrum
    from scaledetect.results import Sensitivities

__all__ = ["plot_net_report"]


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
