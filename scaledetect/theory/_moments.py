"""Moments of each layer, in either path of the theory, and the sensitivities made of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scaledetect._base.array_types import FloatArray
from scaledetect.perturbations.noise import NoiseMode
from scaledetect.theory._windows import FirstLayer, excess_mean, excess_second_moment

__all__ = ["Moments", "excess_response", "noise_response", "without_rounding"]


def _nothing() -> FloatArray:
    return np.zeros(0)


@dataclass(frozen=True)
class Moments:
    """Second moments of each layer, arrays of shape (K,), in units of the active pixel (a = 1); M_k the net up to k.

    Attributes
    ----------
    sites, mean_sum : |M 1|^2 and (M 1) . E f_k; as boxes leave an image of ones as it is, the number of sites and the
        sum of E f_k over them.
    mean_square : |E f_k|^2.
    covariance : trace of the covariance of f_k: Delta_k / 2.
    shift : E|f_k(tau x) - f_k(x)|^2.
    white, active : tr(M M^T) and tr(M diag(deg) M^T): the response to independent noise on all pixels, on active ones.
    both, local : signed noise only (see `_windows`): sum over sites of M' P[u = 2], and trace of M' local M'^T, M' the
        layers after the first.
    """

    sites: FloatArray
    mean_sum: FloatArray
    mean_square: FloatArray
    covariance: FloatArray
    shift: FloatArray
    white: FloatArray = field(default_factory=_nothing)
    active: FloatArray = field(default_factory=_nothing)
    both: FloatArray = field(default_factory=_nothing)
    local: FloatArray = field(default_factory=_nothing)

    @property
    def second(self) -> FloatArray:
        """E|f_k|^2."""
        return self.covariance + self.mean_square


def without_rounding(shift: FloatArray, second: FloatArray) -> FloatArray:
    """E|f(tau x) - f(x)|^2 from dense matrices, with 0 where it is below the rounding of its terms.

    The terms are |f(tau x)|^2, |f(x)|^2 and twice their product: at most four times E|f|^2, in absolute value.
    """
    return np.where(shift <= 64 * float(np.finfo(np.float64).eps) * 4 * second, 0.0, shift)


def noise_response(moments: Moments, mode: NoiseMode, amplitude: float, first: FirstLayer, sigma: float) -> FloatArray:
    """E|f_k(x + eta) - f_k(x)|^2, shape (K,), in true units, for any of the three modes."""
    return _signed(moments, first) if mode == "signed" else excess_response(moments, mode, amplitude, sigma)


def excess_response(moments: Moments, mode: NoiseMode, amplitude: float, sigma: float) -> FloatArray:
    """The same for a net that is linear throughout, so that signed noise is not rectified by its first layer."""
    if mode == "signed":
        return sigma**2 * moments.white
    level = amplitude / sigma if mode == "rectified_input" else 0.0
    return sigma**2 * _rectified(moments, level)


def _rectified(moments: Moments, level: float) -> FloatArray:
    """Rectified noise adds to each pixel, independently, an excess known by its mean and variance; M is linear."""
    mean0, mean1 = excess_mean(np.array([0.0, level]))
    variance0, variance1 = excess_second_moment(np.array([0.0, level])) - np.square([mean0, mean1])
    coherent = moments.sites * mean0**2 + 2 * mean0 * (mean1 - mean0) * moments.mean_sum
    coherent += (mean1 - mean0) ** 2 * moments.second
    return np.asarray(coherent + variance0 * moments.white + (variance1 - variance0) * moments.active)


def _signed(moments: Moments, first: FirstLayer) -> FloatArray:
    mean0, _, _ = first.mean
    # The level of a site is F^d times the mean the layer computes.
    slope = first.slope * float(first.filter_size) ** first.dim
    linear = moments.sites * mean0**2 + 2 * mean0 * slope * moments.mean_sum + slope**2 * moments.second
    return np.asarray(linear + 2 * first.kappa * mean0 * moments.both + moments.local)
