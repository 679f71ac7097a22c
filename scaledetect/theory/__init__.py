"""Exact theory of the constant-filter net on the task, and its asymptotic exponents."""

from scaledetect.theory._exponents import exponents, lattice_sensitivities, refinement_matrix
from scaledetect.theory._matching import ensemble_sigma
from scaledetect.theory._sensitivities import sensitivities

__all__ = [
    "ensemble_sigma",
    "exponents",
    "lattice_sensitivities",
    "refinement_matrix",
    "sensitivities",
]
