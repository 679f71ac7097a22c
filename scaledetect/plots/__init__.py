"""Figures: `matplotlib.figure.Figure` objects that no global state knows of; save one with ``figure.savefig``."""

from scaledetect.plots.cluster_profile import plot_cluster_profile
from scaledetect.plots.coherent_share import plot_coherent_share
from scaledetect.plots.examples import plot_examples
from scaledetect.plots.filter_spectra import plot_spectra
from scaledetect.plots.kernel_learning_curves import plot_kernel_learning_curves
from scaledetect.plots.overview import plot_overview
from scaledetect.plots.sensitivities import plot_sensitivities
from scaledetect.plots.theories import plot_theories

__all__ = [
    "plot_cluster_profile",
    "plot_coherent_share",
    "plot_examples",
    "plot_kernel_learning_curves",
    "plot_overview",
    "plot_sensitivities",
    "plot_spectra",
    "plot_theories",
]
