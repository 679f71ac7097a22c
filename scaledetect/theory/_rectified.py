"""Moments of rectified Gaussians: one variable, and two that are correlated."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from scaledetect._base.array_types import FloatArray

__all__ = ["excess_mean", "excess_second_moment", "rectified_covariance", "rectified_variance"]


def excess_mean(h: ArrayLike) -> FloatArray:
    """E[ReLU(h + z) - h] for z ~ N(0, 1), h >= 0; in units of the standard deviation."""
    h = np.asarray(h, dtype=np.float64)
    return np.asarray(_density(h) - h * ndtr(-h))


def excess_second_moment(h: ArrayLike) -> FloatArray:
    """E[(ReLU(h + z) - h)^2] for z ~ N(0, 1), h >= 0; in units of the variance."""
    h = np.asarray(h, dtype=np.float64)
    return np.asarray(ndtr(h) + h * h * ndtr(-h) - h * _density(h))


def rectified_variance(h: ArrayLike) -> FloatArray:
    """Variance of ReLU(h + z) for z ~ N(0, 1), h >= 0."""
    return excess_second_moment(h) - excess_mean(h) ** 2


def rectified_covariance(h: ArrayLike, k: ArrayLike, correlation: ArrayLike) -> FloatArray:
    """Cov(ReLU(h + z_1), ReLU(k + z_2)) for standard normal z_1, z_2 of the given correlation in [0, 1).

    The arguments broadcast. By Price's theorem d Cov / d rho = P(h + z_1 > 0, k + z_2 > 0), which integrates to
    rho Phi(h) Phi(k) + (1 / 2 pi) int_0^{asin rho} (rho - sin t) exp(-(h^2 + k^2 - 2 h k sin t) / (2 cos^2 t)) dt: a
    sum of positive terms. The integral is done by adaptive quadrature, all arguments at once.
    """
    h, k, rho = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in (h, k, correlation)))
    if h.size == 0:
        return np.zeros(h.shape)
    from scipy.integrate import quad_vec  # slow to load, and needed only where windows overlap

    top = np.arcsin(rho)

    def integrand(u: float) -> FloatArray:
        sine = np.sin(u * top)
        exponent = (h * h + k * k - 2 * h * k * sine) / (2 * (1 - sine) * (1 + sine))
        return np.asarray((rho - sine) * np.exp(-exponent) * top)

    integral, _ = quad_vec(integrand, 0.0, 1.0, epsabs=1e-15, epsrel=1e-13, norm="max", limit=2000)
    return np.asarray(rho * ndtr(h) * ndtr(k) + integral / (2 * math.pi))


def _density(h: FloatArray) -> FloatArray:
    return np.asarray(np.exp(-h * h / 2) / math.sqrt(2 * math.pi))
