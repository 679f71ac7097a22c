"""Power of the tests that decide claims, and the tolerance that confirms a true prediction with a given power."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from scaledetect._base.arguments import finite, fraction, integer, positive
from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_value
from scaledetect.statistics.verdict import level_of_each

__all__ = ["direction_power", "equivalence_power", "tolerance_for_power"]


NODES = 200
"""Gauss-Legendre nodes over the quantiles of the estimated variance."""

WIDEST = 2.0**500
"""Tolerance in units of the scatter past which none is looked for."""


def direction_power(effect: float, scatter: float, n_seeds: int, *, alpha: float = 0.05, hypotheses: int = 1) -> float:
    """Chance that `decide_direction` confirms a ratio whose logarithm is `effect`.

    Parameters
    ----------
    effect : float
        Mean logarithm of the ratio.
    scatter : float
        Standard deviation of the logarithm over seeds, positive.
    n_seeds : int
        At least 2.
    alpha, hypotheses
        As in `decide_direction`.

    Returns
    -------
    float
        By the noncentral t distribution: exact for normal logarithms.

    Raises
    ------
    TypeError, ValueError
        Naming the argument that is out of range.

    Examples
    --------
    >>> from scaledetect.statistics import direction_power
    >>> round(direction_power(0.2, 0.31, 40, hypotheses=8), 3)
    0.922
    """
    from scipy.stats import nct, t

    level = level_of_each(alpha, hypotheses)
    effect = finite("effect", effect)
    sigma, n = _scatter(scatter), _seeds(n_seeds)
    shift = effect * math.sqrt(n) / sigma
    return float(nct.sf(t.isf(level, n - 1), n - 1, shift))


def equivalence_power(
    tolerance: float, scatter: float, n_seeds: int, *, alpha: float = 0.05, hypotheses: int = 1, offset: float = 0.0
) -> float:
    """Chance that `decide_prediction` confirms a prediction, with edges `tolerance` to both sides of it.

    Parameters
    ----------
    tolerance : float
        Half-width, positive.
    scatter : float
        Standard deviation over seeds, positive, in the unit of `tolerance`.
    n_seeds : int
        At least 2.
    alpha, hypotheses
        As in `decide_prediction`.
    offset : float, default 0.0
        Truth minus prediction.

    Returns
    -------
    float
        For normal numbers: the chance that the mean keeps its margin from both edges, averaged over the chi-squared
        distribution of the estimated variance.

    Raises
    ------
    TypeError, ValueError
        Naming the argument that is out of range.

    Examples
    --------
    >>> from scaledetect.statistics import equivalence_power
    >>> round(equivalence_power(0.3, 0.46, 40, hypotheses=8), 3)
    0.856
    """
    level = level_of_each(alpha, hypotheses)
    half = positive("tolerance", tolerance, allowed="positive")
    return _power(half, _scatter(scatter), _seeds(n_seeds), level, finite("offset", offset))


def tolerance_for_power(
    scatter: float, n_seeds: int, *, power: float = 0.8, alpha: float = 0.05, hypotheses: int = 1
) -> float:
    """Half-width of the tolerance with which a prediction that is true is confirmed with the given power.

    Parameters
    ----------
    scatter : float
        Standard deviation over seeds, positive: from a pilot on other seeds.
    n_seeds : int
        At least 2.
    power : float, default 0.8
        In (0, 1).
    alpha, hypotheses
        As in `decide_prediction`.

    Returns
    -------
    float
        In the unit of `scatter`.

    Raises
    ------
    TypeError, ValueError
        Naming the argument that is out of range.

    Examples
    --------
    >>> from scaledetect.statistics import tolerance_for_power
    >>> round(tolerance_for_power(0.115, 40, hypotheses=8), 4)
    0.0716
    """
    from scipy.optimize import brentq

    level = level_of_each(alpha, hypotheses)
    sigma, n = _scatter(scatter), _seeds(n_seeds)
    wanted = fraction("power", power)
    high = 1.0
    while _power(high, 1.0, n, level, 0.0) < wanted:
        high *= 2
        if high > WIDEST:
            text = f"no tolerance has it with n_seeds={n} at a level of {level:.3g} each"
            raise bad_value("power", power, text, "lower it, raise n_seeds or raise alpha")
    half = brentq(lambda width: _power(width, 1.0, n, level, 0.0) - wanted, 0.0, high, xtol=1e-12)
    return float(half) * sigma


def _power(half: float, sigma: float, n: int, level: float, offset: float) -> float:
    from scipy.special import ndtr

    margins, weights = _margins(n, level)
    room, shift = half / sigma * math.sqrt(n) - margins, offset / sigma * math.sqrt(n)
    return float(weights @ np.clip(ndtr(room - shift) - ndtr(-room - shift), 0.0, None))


@lru_cache(maxsize=16)
def _margins(n: int, level: float) -> tuple[FloatArray, FloatArray]:
    """Half-lengths of Student's interval over quantiles of the estimated scatter, in true standard errors; weights."""
    from scipy.stats import chi2, t

    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    estimated = np.sqrt(chi2.ppf((nodes + 1) / 2, n - 1) / (n - 1))
    return np.asarray(t.isf(level, n - 1) * estimated), weights / 2


def _scatter(value: float) -> float:
    return positive("scatter", value, allowed="positive")


def _seeds(value: int) -> int:
    return integer("n_seeds", value, 2)
