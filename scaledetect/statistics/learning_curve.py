"""Summaries of a learning curve: test error against the number of training images, on a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.arguments import real_array
from scaledetect._base.errors import bad_value

__all__ = ["area_under_curve", "crossing", "crossing_of"]


def area_under_curve(P: Sequence[float], error: Sequence[float]) -> float:
    """The mean of the error over log P, from the smallest to the largest P: trapezoids on a logarithmic axis.

    Parameters
    ----------
    P : sequence of float, length n >= 2
        Numbers of training images, rising. They are the range of the area: compare areas over equal ones only.
    error : sequence of float, length n
        Test error at each, finite.

    Returns
    -------
    float
        In the units of the error: 0.5 for chance, 0 for the oracle.

    Raises
    ------
    ValueError
        For fewer than two points, and for what `crossing` refuses.

    Examples
    --------
    >>> area_under_curve([32, 64, 128], [0.5, 0.25, 0.0])
    0.25
    """
    counts, e = _checked(P, error)
    if len(counts) < 2:
        raise bad_value("P", list(P), "an area needs at least two numbers of training images")
    x = np.log2(counts)
    # Written out: NumPy 1 has it under another name than NumPy 2.
    area = (np.diff(x) * (e[1:] + e[:-1]) / 2.0).sum()
    return float(area / (x[-1] - x[0]))


def crossing(P: Sequence[float], error: Sequence[float], level: float = 0.1) -> float | None:
    """The number of training images at which the error first falls to `level`, interpolated on a logarithmic axis.

    Parameters
    ----------
    P : sequence of float, length n >= 1
        Numbers of training images, rising.
    error : sequence of float, length n
        Test error at each, finite.
    level : float, default 0.1

    Returns
    -------
    float or None
        ``P[0]``, an upper bound, where the error is not above the level there; None where it stays above throughout.

    Raises
    ------
    ValueError
        For lengths that differ or are 0, a P that is not positive or does not rise, and errors that are not finite.

    Examples
    --------
    >>> crossing([64, 256], [0.2, 0.0])
    128.0
    """
    counts, e = _checked(P, error)
    return crossing_of(zip(counts.tolist(), e.tolist(), strict=True), level)


def crossing_of(curve: Iterable[tuple[float, float]], level: float) -> float | None:
    """`crossing` of a curve that is sound: P, which rises, and error."""
    before: tuple[float, float] | None = None
    for P, error in curve:
        if error <= level:
            if before is None:
                return float(P)
            share = (before[1] - level) / (before[1] - error)
            return float(2 ** (math.log2(before[0]) + share * (math.log2(P) - math.log2(before[0]))))
        before = P, error
    return None


def _checked(P: Sequence[float], error: Sequence[float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    counts, e = real_array("P", P), real_array("error", error)
    if counts.ndim != 1 or counts.shape != e.shape or len(counts) == 0:
        raise bad_value("error", list(error), f"must have one number for each of P, at least one; P has {len(P)}")
    if not (np.isfinite(counts).all() and counts[0] > 0 and (np.diff(counts) > 0).all()):
        raise bad_value("P", list(P), "must be positive and rise")
    if not np.isfinite(e).all():
        raise bad_value("error", list(error), "must be finite", "leave out what has no score")
    return counts, e
