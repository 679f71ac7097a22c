"""Spectrum of a kernel, and from it the mean squared error of kernel ridge regression on random rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scaledetect._base.array_types import FloatArray
from scaledetect.theory.kernels.population import Population

__all__ = [
    "RANK_TOLERANCE",
    "Spectrum",
    "effective_ridge",
    "mean_squared_error",
    "spectrum_of",
]


RANK_TOLERANCE = 1e-12
"""Share of the largest eigenvalue below which an eigenvalue is rounding, and counts as zero."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """K(x, y) = sum_i lambda_i e_i(x) e_i(y) with eigenfunctions orthonormal under the measure.

    Attributes
    ----------
    eigenvalues : ndarray of float64, shape (r,)
        lambda_i, falling; those below `RANK_TOLERANCE` of the largest are left out, so that r is the numerical rank.
    power : ndarray of float64, shape (r,)
        v_i^2: share of the target, which is of norm 1, in each eigenfunction.
    outside : float
        Share of the target that no function of the kernel reaches: 1 - sum v_i^2, 0 within rounding.
    """

    eigenvalues: FloatArray
    power: FloatArray
    outside: float

    @property
    def rank(self) -> int:
        """Number of eigenvalues that are not left out."""
        return len(self.eigenvalues)


def spectrum_of(gram: FloatArray, population: Population) -> Spectrum:
    """Diagonalise the kernel weighted by the measure, w^(1/2) K w^(1/2)."""
    root = np.sqrt(population.weights)
    values, vectors = np.linalg.eigh(gram * root[:, None] * root)
    kept = np.flatnonzero(values > RANK_TOLERANCE * values[-1])[::-1]
    values, vectors = values[kept], vectors[:, kept]
    target = root * population.y
    projections = target @ vectors
    # From the residual itself: one minus the sum of squares would lose what is small.
    residual = target - vectors @ projections
    outside = float(residual @ residual)
    return Spectrum(values, projections**2, outside if outside > RANK_TOLERANCE else 0.0)


MAX_STEPS = 10_000


def effective_ridge(eigenvalues: FloatArray, n_train: int, ridge: float) -> float:
    """kappa, the largest solution of P = sum lambda_i / (lambda_i + kappa) + ridge / kappa.

    With ridge 0 and P not below the rank there is none above 0, and kappa is 0: the rows determine every function of
    the kernel.
    """
    if ridge == 0 and n_train >= len(eigenvalues):
        return 0.0
    # P kappa - sum lambda kappa / (lambda + kappa) - ridge is convex in kappa and not negative at the start: Newton's
    # steps fall to its largest zero, and stop where rounding turns them.
    kappa = (float(eigenvalues.sum()) + ridge) / n_train
    for _ in range(MAX_STEPS):
        learnt = eigenvalues / (eigenvalues + kappa)
        value = (n_train - float(learnt.sum())) * kappa - ridge
        lower = kappa - value / (n_train - float(learnt @ learnt))
        if not 0 < lower < kappa:
            break
        kappa = lower
    return kappa


def mean_squared_error(spectrum: Spectrum, n_train: int, ridge: float) -> float:
    """P / (P - sum L_i^2) sum (1 - L_i)^2 v_i^2 over the population, L_i = lambda_i / (lambda_i + kappa).

    At ridge 0 and P equal to the rank it is infinite, unless the kernel reaches the whole target: then it is 0.
    """
    kappa = effective_ridge(spectrum.eigenvalues, n_train, ridge)
    learnt = spectrum.eigenvalues / (spectrum.eigenvalues + kappa)
    missed = kappa / (spectrum.eigenvalues + kappa)
    bias = float(missed**2 @ spectrum.power) + spectrum.outside
    # P - sum L^2, without a difference of nearly equal numbers where kappa is small.
    freedom = float(learnt @ missed) + ridge / kappa if kappa > 0 else float(n_train - spectrum.rank)
    if freedom > 0:
        return n_train * bias / freedom
    return math.inf if bias > 0 else 0.0
