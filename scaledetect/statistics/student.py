"""Student's t on one number a seed: mean, standard error, one-sided p-values and interval, for many samples at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit  # scipy.stats takes a second to load

from scaledetect._base.array_types import FloatArray

__all__ = ["StudentSample", "student_sample"]


@dataclass(frozen=True)
class StudentSample:
    """Samples reduced to what Student's t needs; every attribute has the shape of the samples without their last axis.

    Attributes
    ----------
    mean, stderr : ndarray of float
        NaN where too few numbers enter: none for the mean, one for its standard error.
    n : ndarray of int
        Numbers that enter.
    """

    mean: FloatArray
    stderr: FloatArray
    n: NDArray[np.int64]

    def p_above(self, edge: float) -> FloatArray:
        """p-value of the test that the truth lies above `edge`: small where it does."""
        return np.asarray(stdtr(self.n - 1, -self._t(edge)), dtype=np.float64)

    def p_below(self, edge: float) -> FloatArray:
        """p-value of the test that the truth lies below `edge`."""
        return np.asarray(stdtr(self.n - 1, self._t(edge)), dtype=np.float64)

    def margin(self, level: float) -> FloatArray:
        """Half the length of the interval of coverage 1 - 2 level."""
        return np.asarray(-stdtrit(self.n - 1, level) * self.stderr, dtype=np.float64)

    def _t(self, edge: float) -> FloatArray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((self.mean - edge) / self.stderr)


def student_sample(values: FloatArray) -> StudentSample:
    """Reduce samples, shape (..., n_seeds), over their last axis; numbers that are not finite do not enter."""
    enters = np.isfinite(values)
    n = enters.sum(axis=-1)
    kept = np.where(enters, values, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = kept.sum(axis=-1) / n
        away = np.where(enters, values - mean[..., None], 0.0)
        stderr = np.sqrt(np.square(away).sum(axis=-1) / (n - 1) / n)
    # Equal numbers scatter by rounding only, which must decide nothing.
    rounding = 1e-14 * np.abs(kept).max(axis=-1, initial=0.0)
    return StudentSample(mean, np.where(n > 1, np.hypot(stderr, rounding), np.nan), n)
