"""Mean squared error of kernel ridge regression on random rows, from the spectrum of the kernel."""

from __future__ import annotations

import math

from scaledetect._base.array_types import FloatArray
from scaledetect.theory.kernels.spectrum import Spectrum

__all__ = ["effective_ridge", "mean_squared_error"]


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
