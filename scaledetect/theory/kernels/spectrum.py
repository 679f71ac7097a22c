"""Eigenvalues of a kernel under a measure on finitely many images, and the target in its eigenfunctions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scaledetect._base.array_types import FloatArray
from scaledetect.theory.kernels.population import Population

__all__ = ["RANK_TOLERANCE", "Spectrum", "spectrum_of"]


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
