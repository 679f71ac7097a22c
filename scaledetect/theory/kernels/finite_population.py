"""Mean squared error of kernel ridge regression where rows repeat: each image of the population is drawn m times.

The formula of `generalisation` takes the features of a row for Gaussian, as if no image came twice. Here the counts
m_i are binomial, and every image feels the others through their average (the cavity method; Malzahn and Opper, 2003).
The residual y - f is (1 + K M / ridge)^-1 y, M = diag(m); on average M / ridge acts as a diagonal S, found from

    A = 1 + S^(1/2) K S^(1/2),   (A^-1)_ii = E [ ridge / (ridge + m_i c_i) ],   c_i = (1 - (A^-1)_ii) / (s_i (A^-1)_ii),

c_i being the variance at image i that the other rows leave. What a row adds to the squared residuals of others is
summed over all paths from image to image.
"""

from __future__ import annotations

import math
import warnings

import numpy as np

from scaledetect._base.array_types import FloatArray

__all__ = ["repeated_rows_error"]


MAX_STEPS = 2000
ACCURACY = 1e-10


def repeated_rows_error(gram: FloatArray, weights: FloatArray, y: FloatArray, n_train: int, ridge: float) -> float:
    """Mean squared error over the population, for `ridge` above 0.

    Warns
    -----
    RuntimeWarning
        Where the equations did not settle; the error is NaN then.
    """
    m, law = _count_law(weights, n_train)
    s = n_train * weights / (ridge + gram.diagonal())
    for _ in range(MAX_STEPS):
        root = np.sqrt(s)
        inverse = np.asarray(np.linalg.inv(np.eye(len(s)) + gram * root[:, None] * root), dtype=np.float64)
        left = inverse.diagonal()
        cavity = (1 - left) / (s * left)
        missed = (law * ridge / (ridge + m * cavity[:, None])).sum(axis=1)
        change = (1 / missed - 1) / (cavity * s) - 1
        if np.abs(change).max() < ACCURACY:
            return float(weights @ _squared_residuals(inverse, s, y, m, law, ridge))
        s = s * (1 + change)
    message = f"the theory of repeated rows did not settle at n_train={n_train}, ridge={ridge:g}: mse_finite is NaN"
    warnings.warn(message, RuntimeWarning, stacklevel=2)
    return math.nan


def _squared_residuals(
    inverse: FloatArray, s: FloatArray, y: FloatArray, m: FloatArray, law: FloatArray, ridge: float
) -> FloatArray:
    """E (y - f)^2 at each image, shape (M,).

    G = (K^-1 + S)^-1 is the average resolvent and t = (m / ridge - s) / (1 + (m / ridge - s) G_ii), of mean 0, what one
    image scatters. The field u_i that the others make at image i has E u_i^2 = (E r_i)^2 + sum_{j != i} G_ij^2 E t_j^2
    E u_j^2, r the residual, and the residual is (1 - G_ii t_i) u_i.
    """
    root = np.sqrt(s)
    mean = inverse @ (root * y) / root
    left = inverse.diagonal()
    resolvent = -inverse / (root[:, None] * root)
    own = (1 - left) / s
    scattered = (m - ridge * s[:, None]) / (ridge * left[:, None] + m * own[:, None])
    power = (law * scattered**2).sum(axis=1)
    paths = -(resolvent**2) * power
    np.fill_diagonal(paths, 1.0)
    field = np.linalg.solve(paths, mean**2)
    return np.asarray(field * (1 + own**2 * power))


def _count_law(weights: FloatArray, n_train: int) -> tuple[FloatArray, FloatArray]:
    """Numbers m, shape (k,), and the binomial probability that each image is drawn m times, shape (M, k).

    Counts beyond the mean by more than twelve deviations and thirty are left out: their probability is below 1e-14.
    """
    from scipy.special import gammaln, xlog1py

    mean = n_train * float(weights.max())
    most = min(n_train, math.ceil(mean + 12 * math.sqrt(mean) + 30))
    m = np.arange(most + 1.0)
    ways = gammaln(n_train + 1) - gammaln(m + 1) - gammaln(n_train - m + 1)
    return m, np.exp(ways + m * np.log(weights)[:, None] + xlog1py(n_train - m, -weights[:, None]))
