"""One number of each net, from its curve over layers: fall, slope, ratio to a theory, and timing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.array_types import FloatArray

__all__ = ["fall", "half_time", "ln_half_time", "mean_log_ratio", "slope"]


def fall(curves: FloatArray) -> FloatArray:
    """ln(X_first / X_last) of curves of shape (..., K); NaN where a number is not positive and finite."""
    logs = _logarithm(curves)
    return np.asarray(logs[..., 0] - logs[..., -1])


def slope(curves: FloatArray, A: FloatArray) -> FloatArray:
    """Least-squares slope of ln X_k against ln A_k, curves of shape (..., K), `A` of shape (K,)."""
    x = np.log(A) - np.log(A).mean()
    return np.asarray(_logarithm(curves) @ x / (x @ x))


def mean_log_ratio(predicted: FloatArray, curves: FloatArray) -> FloatArray:
    """Mean over layers of ln(predicted / X_k), both of shape (..., K)."""
    return np.asarray((_logarithm(predicted) - _logarithm(curves)).mean(axis=-1))


def ln_half_time(epochs: NDArray[np.int64], D: FloatArray, validation_error: FloatArray) -> float:
    """ln(e_D / e_error) of one net along its training, from E epochs, the first of them before training.

    e_D is the epoch at which ln(D_first / D_last), `D` of shape (E, K), is half-way between its values before training
    and at the end; e_error the one at which the validation error, shape (E,), is half-way between 1/2 and its value at
    the end. NaN where either never is.
    """
    known = np.isfinite(validation_error) & (epochs > 0)
    # Before training every row gets the same answer, so half of the rows of two classes of equal number are wrong.
    error = np.concatenate([[0.5], validation_error[known]])
    e_error = half_time(np.concatenate([[0], epochs[known]]), error)
    e_D = half_time(epochs, fall(D))
    return float(np.log(e_D / e_error)) if e_D > 0 and e_error > 0 else np.nan


def half_time(epochs: NDArray[np.int64], values: FloatArray) -> float:
    """First epoch at which `values` is half-way between its first and its last number, linear between epochs.

    Both have shape (E,). NaN where a number is not finite, or the first and the last are the same.
    """
    if len(values) < 2 or not np.isfinite(values).all() or values[0] == values[-1]:
        return float("nan")
    done = (values - values[0]) / (values[-1] - values[0]) - 0.5
    first = int(np.argmax(done >= 0))
    before, after = done[first - 1], done[first]
    share = -before / (after - before)
    return float(epochs[first - 1] + share * (epochs[first] - epochs[first - 1]))


def _logarithm(values: FloatArray) -> FloatArray:
    return np.log(np.where(np.isfinite(values) & (values > 0), values, np.nan))
