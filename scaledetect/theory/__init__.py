"""Exact theory of the constant-filter net on the task, its asymptotic exponents, and nets by their mean filters."""

from scaledetect.theory._exponents import exponents, lattice_sensitivities, refinement_matrix
from scaledetect.theory._matching import ensemble_sigma
from scaledetect.theory._mean_filters import mean_filter_sensitivities
from scaledetect.theory._sensitivities import sensitivities
from scaledetect.theory.kernels import KernelLearningCurve, kernel_learning_curve

__all__ = [
    "KernelLearningCurve",
    "ensemble_sigma",
    "exponents",
    "kernel_learning_curve",
    "lattice_sensitivities",
    "mean_filter_sensitivities",
    "refinement_matrix",
    "sensitivities",
]
