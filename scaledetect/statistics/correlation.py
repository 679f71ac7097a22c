"""Spearman's rank correlation with a standard error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

__all__ = ["LEAST_NETS", "Correlation", "rank_correlation"]

LEAST_NETS = 5
"""Nets below which no correlation is given."""


@dataclass(frozen=True)
class Correlation:
    """A rank correlation.

    Attributes
    ----------
    rho : float
        Spearman's coefficient, -1 to 1.
    stderr : float
        Its standard error by the delete-one jackknife over nets.
    low, high : float
        Nominal 95 % interval over nets: Student's, cut at -1 and 1.
    n : int
        Nets.
    n_train : int
        Training images of all of them.
    """

    rho: float
    stderr: float
    low: float
    high: float
    n: int
    n_train: int


def rank_correlation(points: Sequence[tuple[float, float]], n_train: int) -> Correlation | None:
    """Spearman's coefficient of points (x, y); None for fewer than `LEAST_NETS`, or where all x or all y are equal."""
    n = len(points)
    if n < LEAST_NETS:
        return None
    x, y = np.array(points, dtype=np.float64).T
    rho = _spearman(x, y)
    if rho is None:
        return None
    without = [_spearman(np.delete(x, i), np.delete(y, i)) for i in range(n)]
    rhos = np.array([0.0 if one is None else one for one in without])
    stderr = math.sqrt((n - 1) / n * float(np.sum((rhos - rhos.mean()) ** 2)))
    reach = float(stdtrit(n - 1, 0.975)) * stderr
    return Correlation(rho, stderr, max(-1.0, rho - reach), min(1.0, rho + reach), n, n_train)


def _spearman(x: NDArray[np.float64], y: NDArray[np.float64]) -> float | None:
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return float(np.corrcoef(_ranks(x), _ranks(y))[0, 1])


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1 on, equal values the mean of theirs; pandas and scipy.stats take longer to load than a board."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (counts.cumsum() - (counts - 1) / 2)[place]
    return ranks
