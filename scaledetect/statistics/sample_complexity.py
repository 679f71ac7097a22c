"""Sample complexity: training images at which a test error falls to a level, with interval, and its exponent in L."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean

from scipy.special import stdtrit

from scaledetect._base.arguments import at_least_one, fraction, integer
from scaledetect._base.errors import bad_value
from scaledetect.statistics.learning_curve import crossing, crossing_of

__all__ = ["LEVEL", "Exponent", "SampleComplexity", "exponent_in_size", "know_nothing_error", "sample_complexity"]

LEVEL = 0.95
"""Nominal coverage of the intervals."""

LEAST_SIZES = 3
"""Lattice sizes that an exponent needs."""


@dataclass(frozen=True)
class SampleComplexity:
    """Training images P* at which the mean test error over seeds falls to `error`.

    Attributes
    ----------
    error : float
        Level of the test error, such as 0.1.
    value : float or None
        P*, between two sizes by a straight line on the axis of log P; None where it is above all that were tried.
    low, high : float or None
        Interval over seeds; None where it is open, as with a single seed, or where without some seed the level is not
        reached.
    stderr : float or None
        Jackknife standard error of ln P*, over seeds.
    largest : int
        Largest number of training images tried: P* is above it where `value` is None.
    at_most : bool
        Whether the level is reached at the smallest number tried, so that `value` is an upper bound.
    n_seeds : int
    """

    error: float
    value: float | None
    low: float | None
    high: float | None
    stderr: float | None
    largest: int
    at_most: bool
    n_seeds: int


@dataclass(frozen=True)
class Exponent:
    """Slope of ln P* against ln L.

    Attributes
    ----------
    value, low, high : float
        Least squares, and its interval over seeds, which does not say how well a power law fits.
    sizes : tuple of int
        Sizes L it is fitted over.
    """

    value: float
    low: float
    high: float
    sizes: tuple[int, ...]


def sample_complexity(errors: Mapping[int, Mapping[int, float]], error: float = 0.1) -> SampleComplexity:
    """P* of a learning curve that was measured with several seeds.

    Parameters
    ----------
    errors : mapping of int to (mapping of int to float)
        Test error by number of training images P, and there by seed. Seeds may lack at some P.
    error : float, default 0.1
        Level, in (0, 1).

    Returns
    -------
    SampleComplexity
        Its interval is Student's of the delete-one jackknife over seeds, on the axis of ln P.

    Raises
    ------
    ValueError
        For an empty curve.

    Examples
    --------
    >>> found = sample_complexity({64: {0: 0.3, 1: 0.2}, 256: {0: 0.0, 1: 0.1}})
    >>> round(found.value, 1), found.n_seeds, found.high is None
    (181.0, 2, False)
    """
    fraction("error", error)
    curve = {size: dict(by_seed) for size, by_seed in sorted(errors.items()) if by_seed}
    if not curve:
        raise bad_value("errors", dict(errors), "holds no test error")
    seeds = sorted({seed for by_seed in curve.values() for seed in by_seed})
    value = crossing(list(curve), [fmean(by_seed.values()) for by_seed in curve.values()], error)
    smallest, largest = min(curve), max(curve)
    at_most = value == smallest
    low = high = stderr = None
    if value is not None and len(seeds) > 1:
        totals = {size: _Total.of(by_seed.values()) for size, by_seed in curve.items()}
        logs = [_log_crossing(curve, totals, error, without=seed) for seed in seeds]
        found = [one for one in logs if one is not None]
        if len(found) == len(seeds):
            stderr = _jackknife_error(found)
            reach = float(stdtrit(len(seeds) - 1, (1 + LEVEL) / 2)) * stderr
            low, high = value * math.exp(-reach), value * math.exp(reach)
    return SampleComplexity(error, value, low, high, stderr, largest, at_most, len(seeds))


def exponent_in_size(sizes: Sequence[int], complexities: Sequence[SampleComplexity]) -> Exponent | None:
    """Exponent of P* in L over the sizes where P* was reached inside the range tried; None for fewer than three.

    Parameters
    ----------
    sizes : sequence of int
        Sides L.
    complexities : sequence of SampleComplexity
        At each, with independent seeds.

    Returns
    -------
    Exponent or None
        The errors of ln P* propagate into the slope; its interval is Student's, with the degrees of freedom of Welch
        and Satterthwaite.
    """
    points = [
        (size, one) for size, one in zip(sizes, complexities, strict=True)
        if one.value is not None and one.stderr is not None and not one.at_most
    ]  # fmt: skip
    if len(points) < LEAST_SIZES:
        return None
    x = [math.log(size) for size, _ in points]
    y = [math.log(one.value) for _, one in points if one.value is not None]
    away = [one - fmean(x) for one in x]
    total = sum(one * one for one in away)
    slope = sum(a * b for a, b in zip(away, y, strict=True)) / total
    parts = [(a / total * (one.stderr or 0.0)) ** 2 for a, (_, one) in zip(away, points, strict=True)]
    variance = sum(parts)
    reach = 0.0
    if variance > 0:
        freedom = variance**2 / sum(p * p / (one.n_seeds - 1) for p, (_, one) in zip(parts, points, strict=True))
        reach = float(stdtrit(freedom, (1 + LEVEL) / 2)) * math.sqrt(variance)
    return Exponent(slope, slope - reach, slope + reach, tuple(size for size, _ in points))


def know_nothing_error(n_near: int, n_far: int, sites: int, n_train: int) -> float:
    """Test error of a learner that counts, for each site, the labels of the training images it is active in.

    On a task whose sites are all alike these counts tell nothing. Yet training and test rows, drawn without
    replacement, are anticorrelated: the learner is worse than chance, the more the larger a part of a class it has.

    Parameters
    ----------
    n_near, n_far : int
        Pairs in each class.
    sites : int
        Pixels N of an image.
    n_train : int
        Training images P, half of each class.

    Returns
    -------
    float
        1/2 where the classes are infinite. In the limit of many training images a site, where counts are Gaussian.

    Examples
    --------
    >>> round(know_nothing_error(480, 1536, 64, 256), 3), round(know_nothing_error(32512, 98304, 512, 256), 3)
    (0.537, 0.501)
    """
    at_least_one("n_near", n_near)
    at_least_one("n_far", n_far)
    integer("sites", sites, 2)
    half = at_least_one("n_train", n_train) / 2
    left = sum(max(0.0, 1 - half / n) for n in (n_near, n_far))
    spread = math.sqrt(4 * half / sites * left)
    if spread == 0:
        return 1.0
    errors = [NormalDist().cdf(2 * half * (1 - 2 / sites) / max(1, n - 1) / spread) for n in (n_near, n_far)]
    return fmean(errors)


@dataclass(frozen=True)
class _Total:
    """A sum to twice the digits of a float, from which one term is taken off in the same time whatever their number."""

    high: float
    low: float
    n: int

    @classmethod
    def of(cls, values: Collection[float]) -> _Total:
        high = math.fsum(values)
        return cls(high, math.fsum([*values, -high]), len(values))

    def mean_without(self, value: float) -> float:
        return math.fsum((self.high, self.low, -value)) / (self.n - 1)


def _log_crossing(
    curve: Mapping[int, Mapping[int, float]], totals: Mapping[int, _Total], error: float, without: int
) -> float | None:
    """Logarithm of P* of all seeds but one; None where they do not reach the error."""
    means = {}
    for size, by_seed in curve.items():
        if without not in by_seed:
            means[size] = totals[size].high / totals[size].n
        elif len(by_seed) > 1:
            means[size] = totals[size].mean_without(by_seed[without])
    value = crossing_of(means.items(), error)
    return None if value is None else math.log(value)


def _jackknife_error(values: Sequence[float]) -> float:
    n, mean = len(values), fmean(values)
    return math.sqrt((n - 1) / n * sum((one - mean) ** 2 for one in values))
